/* SPDX-License-Identifier: ISC */
#include "broker/life/platforms.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "broker/helper/provider_call.h"
#include "common/cleanup.h"

#define SYNC_AGE 5  /* seconds for which a list is good */
#define SYNC_WAIT 3 /* seconds that somebody waits for one */
#define PAGES_MAX 250
#define GONE_MAX 20 /* looked at one by one, each time */

static bool
is_asked(const struct broker *b, const struct caller *caller, size_t i)
{
	return b->provider_fd[i] >= 0 &&
	    provider_is_platform(providers[i]->name) &&
	    access_platform(caller, providers[i]->name);
}

static bool
is_routed(const struct broker *b, const char *provider, const char *id)
{
	const struct field_list *route =
	    broker_settings_route(b->settings, provider);

	for (size_t i = 0; i < route->count; i++) {
		if (fnmatch(route->word[i], id, 0) == 0)
			return true;
	}
	return false;
}

static enum sbx_err
add(struct broker *b, const char *provider, const struct provider_found *found,
    struct sandbox *ret, struct sbx_why *why)
{
	struct sandbox s = { .isolation = ISOLATION_PLATFORM,
		.created_at =
		    found->created_at != 0 ? found->created_at : b->now(),
		.incarnation = found->incarnation,
		.label_count = found->label_count };
	enum sbx_err err;

	memcpy(s.id, found->id, sizeof(s.id));
	memcpy(s.label, found->label, sizeof(s.label));
	memcpy(s.reason, found->status.reason, sizeof(s.reason));
	(void)snprintf(s.provider, sizeof(s.provider), "%s", provider);
	access_own_name(b->settings, s.owner);
	s.state = sandboxes_state_of(&found->status, SANDBOX_STOPPED);
	err = store_add(b->store, &s, UINT64_MAX, why);
	if (err == SBX_OK)
		*ret = s;
	return err;
}

enum sbx_err
platforms_find(struct broker *b, const struct caller *caller, const char *id,
    const char *provider, struct sandbox *ret, struct sbx_why *why)
{
	cleanup_free struct provider_found *found = calloc(2, sizeof(*found));
	const char *from = NULL;
	struct sbx_why own = { "" };
	enum sbx_err failed = SBX_OK, err;

	if (found == NULL)
		return SBX_NOMEM;
	for (size_t i = 0; providers[i] != NULL; i++) {
		const char *name = providers[i]->name;

		if (!is_asked(b, caller, i) ||
		    (*provider != '\0' ? strcmp(name, provider) != 0
				       : !is_routed(b, name, id)))
			continue;
		err = provider_call_adopt(
		    b->provider_fd, name, id, &found[from != NULL], &own);
		if (err == SBX_OK && from != NULL)
			return sbx_fail(why, SBX_STATE,
			    "both %s and %s have a sandbox '%s': say which, "
			    "%s.%s.sandbox or %s.%s.sandbox",
			    from, name, id, id, from, id, name);
		if (err == SBX_OK)
			from = name;
		else if (err != SBX_NOT_FOUND)
			failed = err;
	}
	if (from != NULL) {
		err = add(b, from, &found[0], ret, why);
		/* Somebody else has done it meanwhile. */
		return err == SBX_EXISTS ? store_get(b->store, id, ret, why)
					 : err;
	}
	if (failed != SBX_OK)
		return sbx_fail(why, failed, "%s", own.text);
	return sbx_fail(why, SBX_NOT_FOUND, "there is no sandbox '%s'", id);
}

/*
 * Lists.
 */

struct item {
	char id[NAME_ID_MAX + 1];
	uint64_t incarnation;
};

struct seen {
	struct item *item; /* by id, once all are there */
	size_t count, size;
};

static int
by_id(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static bool
is_seen(const struct seen *seen, const char *id)
{
	struct item key;

	memcpy(key.id, id, sizeof(key.id));
	return seen->count > 0 &&
	    bsearch(&key, seen->item, seen->count, sizeof(key), by_id) != NULL;
}

/* Is it one of these, by another of its names? */
static bool
is_namesake(const struct seen *seen, uint64_t incarnation)
{
	for (size_t i = 0; i < seen->count; i++) {
		if (seen->item[i].incarnation == incarnation)
			return true;
	}
	return false;
}

static bool
note(struct seen *seen, const struct provider_found *found)
{
	if (seen->count == seen->size) {
		size_t size = seen->size == 0 ? 256 : 2 * seen->size;
		void *more =
		    reallocarray(seen->item, size, sizeof(*seen->item));

		if (more == NULL)
			return false;
		seen->item = more;
		seen->size = size;
	}
	seen->item[seen->count].incarnation = found->incarnation;
	memcpy(seen->item[seen->count++].id, found->id, sizeof(found->id));
	return true;
}

/* Whoever is at work on one knows better. */
static void
take(struct broker *b, const char *provider, const struct provider_found *found)
{
	struct sandbox s;
	enum sandbox_state state;
	enum sbx_err err;

	if (!turn_try(b->turns, found->id))
		return;
	err = store_get(b->store, found->id, &s, NULL);
	if (err == SBX_NOT_FOUND) {
		err = add(b, provider, found, &s, NULL);
	} else if (err == SBX_OK && strcmp(s.provider, provider) == 0) {
		state = sandboxes_state_of(&found->status, s.state);
		if (state != s.state && s.state != SANDBOX_DELETING)
			sandboxes_found(b, &s, state);
	}
	(void)err; /* the next list has it again */
	turn_give(b->turns, found->id);
}

/* For whoever has the turn of it. */
static void
settle(struct broker *b, struct sandbox *s, const struct seen *seen)
{
	enum sbx_err err = is_namesake(seen, s->incarnation)
	    ? store_remove(b->store, s->id, /* event= */ NULL, NULL)
	    : sandboxes_reconcile(b, s, NULL);

	(void)err; /* the next list has it again */
}

/*
 * Lists lag behind, so one that is not listed may still be there: it is looked
 * at, and goes from the store if it is not.
 */
static void
look_at_rest(struct broker *b, const char *provider, const struct seen *seen)
{
	struct store_filter filter = {
		.state = -1, .after = "", .provider = provider, .limit = 200
	};
	char after[NAME_ID_MAX + 1];
	size_t count = filter.limit, left = GONE_MAX;

	while (count == filter.limit) {
		cleanup_free struct sandbox *rows = NULL;

		if (store_list(b->store, &filter, &rows, &count, NULL) !=
		    SBX_OK)
			return;
		for (size_t i = 0; i < count && left > 0; i++) {
			struct sandbox *s = &rows[i];

			memcpy(after, s->id, sizeof(after));
			if (is_seen(seen, s->id) || !turn_try(b->turns, s->id))
				continue;
			left--;
			settle(b, s, seen);
			turn_give(b->turns, after);
		}
		filter.after = after;
	}
}

/* A job of turns: id is a dot and the provider's name. */
static enum sbx_err
sync_one(void *context, const char *id, const struct starter *starter,
    struct sbx_why *why)
{
	cleanup_free struct provider_page *page = calloc(1, sizeof(*page));
	struct broker *b = context;
	const char *provider = id + 1;
	struct seen seen = { NULL, 0, 0 };
	char cursor[PROVIDER_CURSOR_LEN] = "";
	enum sbx_err err = page == NULL ? SBX_NOMEM : SBX_OK;

	(void)starter;
	for (size_t pages = 0; err == SBX_OK && pages < PAGES_MAX; pages++) {
		err = provider_call_list(
		    b->provider_fd, provider, cursor, page, why);
		for (size_t i = 0; err == SBX_OK && i < page->count; i++) {
			take(b, provider, &page->found[i]);
			if (!note(&seen, &page->found[i]))
				err = SBX_NOMEM;
		}
		if (err != SBX_OK || *page->next == '\0')
			break;
		memcpy(cursor, page->next, sizeof(cursor));
	}
	if (err == SBX_OK && *page->next == '\0') {
		if (seen.count > 0)
			qsort(seen.item, seen.count, sizeof(*seen.item), by_id);
		look_at_rest(b, provider, &seen);
	}
	free(seen.item);
	return err;
}

/* All of them at once, then whoever is slow. */
void
platforms_sync(
    struct broker *b, const struct caller *caller, const char *provider)
{
	static const struct starter nobody = { .person = TURN_UNLIMITED };
	uint64_t now = b->ticks(), deadline = now + SYNC_WAIT;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; providers[i] != NULL; i++) {
			char id[NAME_ID_MAX + 2];
			unsigned wait = 0;
			bool done;

			if (!is_asked(b, caller, i) ||
			    (*provider != '\0' &&
				strcmp(providers[i]->name, provider) != 0) ||
			    now < b->synced[i] + SYNC_AGE)
				continue;
			(void)snprintf(
			    id, sizeof(id), ".%s", providers[i]->name);
			if (round == 1 && b->ticks() < deadline)
				wait = (unsigned)(deadline - b->ticks());
			/* A platform that is down shows what it had. */
			if (turns_start(b->turns, id, &nobody, wait, sync_one,
				b, &done, NULL) != SBX_OK ||
			    round == 1)
				b->synced[i] = now;
		}
	}
}
