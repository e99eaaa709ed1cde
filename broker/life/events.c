/* SPDX-License-Identifier: ISC */
#include "broker/life/events.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/text.h"

/* Looks into the store for one answer. */
#define LOOKS 16

void
event_begin(struct event *ret, const struct broker *b, enum event_kind kind,
    const struct sandbox *s, const char *cause, const char *by)
{
	*ret = (struct event){
		.time = b->now(), .kind = kind, .incarnation = s->incarnation
	};
	memcpy(ret->id, s->id, sizeof(ret->id));
	memcpy(ret->owner, s->owner, sizeof(ret->owner));
	memcpy(ret->person, s->person, sizeof(ret->person));
	(void)snprintf(ret->cause, sizeof(ret->cause), "%s", cause);
	(void)snprintf(ret->by, sizeof(ret->by), "%s", by == NULL ? "" : by);
}

void
event_set_detail(struct event *event, const char *text)
{
	cleanup_buf struct buf plain = BUF_INIT(4 * EVENT_DETAIL_MAX + 8);

	text_escape(
	    VIEW_STR(text), EVENT_DETAIL_MAX, /* quote= */ false, &plain);
	(void)snprintf(
	    event->detail, sizeof(event->detail), "%s", buf_text(&plain));
}

static bool
may_log(struct broker *b, const struct caller *caller, enum quota_kind kind)
{
	return caller == NULL || b->may_log == NULL || b->may_log(caller, kind);
}

static void
tell(struct broker *b, const struct event *event, bool log)
{
	if (log && b->log != NULL)
		b->log(event);
	if (b->watch != NULL)
		watch_wake(b->watch);
}

void
event_tell(
    struct broker *b, const struct event *event, const struct caller *caller)
{
	tell(b, event, may_log(b, caller, QUOTA_DONE));
}

/* By itself; the log has it although the store has not. */
static void
add(struct broker *b, struct event *event)
{
	(void)!store_add_event(b->store, event, NULL);
	tell(b, event, /* log= */ true);
}

void
events_refuse(struct broker *b, const struct caller *caller, const char *id,
    enum sbx_err err, const struct sbx_why *why)
{
	struct sandbox s = { .id = "" };
	struct event event;

	/* A row is a flush to disk, and a refusal costs nothing. */
	if (!may_log(b, caller, QUOTA_REFUSED))
		return;
	if (*id == '\0' ||
	    sandboxes_find(b, caller, id, ACCESS_SHOW, &s, NULL) != SBX_OK) {
		s = (struct sandbox){ .id = "" };
		memcpy(s.owner, caller->name, sizeof(s.owner));
		memcpy(s.person, caller->person_name, sizeof(s.person));
	}
	event_begin(
	    &event, b, EVENT_REFUSED, &s, sbx_err_name(err), caller->name);
	event_set_detail(&event, sbx_why_text(why, err));
	add(b, &event);
}

/*
 * It comes out of the sandbox, which may say any time and any reason: one a
 * second at most is news, and none of a time to come.
 */
void
events_note_refusal(
    struct broker *b, struct sandbox *s, const struct refusal *refusal)
{
	struct event event;

	if (refusal->err == SBX_OK || refusal->when <= s->refused_at ||
	    refusal->when < s->created_at || refusal->when > b->now())
		return;
	s->refused_at = refusal->when;
	event_begin(&event, b, EVENT_DENIED, s, sbx_err_name(refusal->err),
	    /* by= */ NULL);
	event.time = refusal->when;
	event_set_detail(&event, sbx_err_text(refusal->err));
	if (store_set_refused(b->store, s->id, s->refused_at, &event, NULL) ==
	    SBX_OK)
		tell(b, &event, /* log= */ true);
}

/*
 * Reading.
 */

/* Who else has what is no guest's concern. */
static enum access_verb
needed(const struct event *e, const struct caller *caller)
{
	switch (e->kind) {
	case EVENT_SHARED:
	case EVENT_UNSHARED:
	case EVENT_CERTIFICATE:
		return strcmp(e->by, caller->name) == 0 ? ACCESS_SHOW
							: ACCESS_SHARE;
	default:
		return ACCESS_SHOW;
	}
}

/* Whose it was then, or who may see the sandbox that it is about. */
static bool
is_for(struct broker *b, const struct caller *caller, const struct event *e)
{
	enum access_verb verb = needed(e, caller);
	struct sandbox s = { .id = "" };

	memcpy(s.owner, e->owner, sizeof(s.owner));
	if (access_may(b->store, caller, &s, verb, NULL) == SBX_OK)
		return true;
	return *e->id != '\0' &&
	    store_get(b->store, e->id, &s, NULL) == SBX_OK &&
	    s.incarnation == e->incarnation &&
	    access_may(b->store, caller, &s, verb, NULL) == SBX_OK;
}

/* What is gathered for one answer. */
struct answer_room {
	struct events_told told;
	bool at_end; /* there is nothing behind next */
};

static enum sbx_err
look(struct broker *b, const struct caller *caller,
    const struct events_wish *wish, struct answer_room *room,
    struct sbx_why *why)
{
	cleanup_free struct event *rows = NULL;
	uint64_t next = 0, last = 0;
	size_t count = 0;
	enum sbx_err err = store_events(b->store, room->told.next, wish->id,
	    &rows, &count, &next, &last, why);

	for (size_t i = 0; err == SBX_OK && i < count; i++) {
		if (!is_for(b, caller, &rows[i]))
			continue;
		room->told.events[room->told.count++] = rows[i];
		if (room->told.count == wish->limit) {
			next = rows[i].number;
			break;
		}
	}
	if (err == SBX_OK) {
		room->told.next = next;
		room->at_end = next == last;
	}
	return err;
}

static enum sbx_err
gather(struct broker *b, const struct caller *caller,
    const struct events_wish *wish, struct answer_room *room,
    struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	room->at_end = false;
	for (int i = 0; i < LOOKS && err == SBX_OK && !room->at_end &&
	     room->told.count < wish->limit;
	     i++)
		err = look(b, caller, wish, room, why);
	return err;
}

static uint64_t
milliseconds(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static enum sbx_err
await(struct broker *b, const struct caller *caller,
    const struct events_wish *wish, struct answer_room *room,
    struct sbx_why *why)
{
	uint64_t end = milliseconds() + 1000 * (uint64_t)wish->wait, now;
	struct watcher *watcher = NULL;
	enum sbx_err err = watch_begin(b->watch,
	    caller->all ? WATCH_UNLIMITED : caller->person, &watcher, why);

	room->told.crowded = err == SBX_UNAVAILABLE;
	if (err == SBX_OK)
		err = gather(b, caller, wish, room, why);
	while (err == SBX_OK && room->told.count == 0 && room->at_end &&
	    (now = milliseconds()) < end &&
	    watch_wait(watcher, wish->fd, (unsigned)(end - now)))
		err = gather(b, caller, wish, room, why);
	watch_end(watcher);
	return err;
}

enum sbx_err
events_read(struct broker *b, const struct caller *caller,
    const struct events_wish *wish, struct events_told *ret,
    struct sbx_why *why)
{
	cleanup_free struct event *events =
	    calloc(wish->limit, sizeof(*events));
	struct answer_room room = { { events, 0, wish->after, false }, false };
	enum sbx_err err;

	if (events == NULL)
		return SBX_NOMEM;
	err = wish->wait > 0 ? await(b, caller, wish, &room, why)
			     : gather(b, caller, wish, &room, why);
	*ret = room.told;
	ret->events = err == SBX_OK ? steal_ptr(&events) : NULL;
	return err;
}
