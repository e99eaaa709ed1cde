/* SPDX-License-Identifier: ISC */
#include "ctl/listing.h"

#include <string.h>

#include "common/text.h"
#include "net/pages.h"

#define PATIENCE 6 /* times what one request may take */
#define QUERY_MAX 4096

const char *const filter_states[] = { "any", "creating", "starting", "running",
	"stopping", "stopped", "failed", NULL };

static const struct field parts[] = {
	{ "state", field_choice, offsetof(struct filter, state), 0, 0, NULL,
	    NULL, filter_states },
	{ "label", field_label, offsetof(struct filter, labels), 0, 1, NULL,
	    NULL, NULL },
};

static enum sbx_err
put_word(const char *key, const char *value, char *ret, size_t size,
    struct sbx_why *why)
{
	if (*value != '\0' && text_copy(VIEW_STR(value), ret, size) == SBX_OK)
		return SBX_OK;
	return sbx_fail(
	    why, SBX_USAGE, "filter '%s=%.80s' has no such value", key, value);
}

enum sbx_err
field_filter(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	struct filter *filter =
	    (struct filter *)(void *)((char *)object + field->offset);
	const char *equals = strchr(text, '=');
	struct view key =
	    equals == NULL ? VIEW_STR("") : VIEW(text, equals - text);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (view_eq_str(key, parts[i].name))
			return parts[i].parse(
			    &parts[i], equals + 1, filter, why);
	}
	if (view_eq_str(key, "provider"))
		return put_word("provider", equals + 1, filter->provider,
		    sizeof(filter->provider), why);
	if (view_eq_str(key, "owner"))
		return put_word("owner", equals + 1, filter->owner,
		    sizeof(filter->owner), why);
	return sbx_fail(why, SBX_USAGE,
	    "filter '%.80s' is none of state=STATE, provider=NAME, owner=USER "
	    "and label=KEY=VALUE",
	    text);
}

static bool
fits(const struct filter *filter, const struct sandbox *s)
{
	return *filter->owner == '\0' || strcmp(filter->owner, s->owner) == 0;
}

static enum sbx_err
full(const struct listing *listing)
{
	enum sbx_err err = buf_error(&listing->items);

	return err != SBX_OK ? err : buf_error(&listing->text);
}

static enum sbx_err
keep(void *context, struct json_object *item, struct sbx_why *why)
{
	struct listing *listing = context;
	struct listed listed;
	enum sbx_err err;

	/* Those before and after a change are compared byte by byte. */
	memset(&listed, 0, sizeof(listed));
	err = sandbox_read(item, &listed.sandbox, why);
	if (err != SBX_OK || !fits(listing->filter, &listed.sandbox))
		return err;
	listed.json = listing->text.len;
	buf_put(&listing->items, &listed, sizeof(listed));
	if (listing->json) {
		buf_put_text(&listing->text, sandbox_json(item));
		buf_put_u8(&listing->text, '\0');
	}
	return full(listing);
}

enum sbx_err
listing_read(
    struct listing *listing, struct broker *broker, struct sbx_why *why)
{
	const struct filter *filter = listing->filter;
	cleanup_buf struct buf query = BUF_INIT(QUERY_MAX);
	struct pages pages = {
		.max = LISTING_MAX, .take = keep, .context = listing
	};
	bool complete = false;
	enum sbx_err err;

	buf_reset(&listing->items);
	buf_reset(&listing->text);
	if (filter->state != 0)
		pages_put_query(&query, "state", filter_states[filter->state]);
	if (*filter->provider != '\0')
		pages_put_query(&query, "provider", filter->provider);
	for (size_t i = 0; i < filter->labels.count; i++)
		pages_put_query(&query, "label", filter->labels.text[i]);
	err = buf_error(&query);
	if (err != SBX_OK)
		return err;
	pages.query = buf_text(&query);
	pages.seconds = PATIENCE * broker->client.settings.timeout;
	err = pages_read(&broker->client, &pages, &complete, why);
	if (err == SBX_OK ? !complete : full(listing) != SBX_OK)
		return sbx_fail(why, SBX_TOO_LARGE,
		    "the broker lists more than %d sandboxes, or %d MiB of "
		    "them: ask for fewer, with --state or --label",
		    LISTING_MAX, LISTING_BYTES >> 20);
	return err;
}

size_t
listing_count(const struct listing *listing)
{
	return listing->items.len / sizeof(struct listed);
}

const struct listed *
listing_at(const struct listing *listing, size_t i)
{
	return (const struct listed *)(const void *)listing->items.p + i;
}

const char *
listing_json(const struct listing *listing, const struct listed *item)
{
	return (const char *)listing->text.p + item->json;
}

void
listing_free(struct listing *listing)
{
	buf_free(&listing->items);
	buf_free(&listing->text);
}
