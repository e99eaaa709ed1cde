/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/label.h"
#include "ctl/sandbox.h"
#include "net/pages.h"

#define LIST_MAX 100000
#define LIST_BYTES (64 << 20)
#define LIST_PATIENCE 6 /* times what one request may take */
#define QUERY_MAX 4096

struct values {
	int state;
	struct label_list labels;
	char provider[FIELD_TEXT];
	bool json;
	char domain[FIELD_TEXT];
};

static const char *const states[] = { "any", "creating", "starting", "running",
	"stopping", "stopped", "failed", NULL };

static const struct opt options[] = {
	{ 0, "STATE",
	    { "state", field_choice, offsetof(struct values, state), 0, 0,
		"any", "only those in this state", states } },
	{ 0, "KEY=VALUE",
	    { "label", field_label, offsetof(struct values, labels), 0, 1, NULL,
		"only those with this label", NULL } },
	{ 0, "NAME",
	    { "provider", field_text, offsetof(struct values, provider), 0, 0,
		NULL, "only those of this provider", NULL } },
	CTL_DOMAIN_OPTION(offsetof(struct values, domain)),
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl list",
	.args = "[options]",
	.summary = "What sandboxes there are.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

/* What is kept of an answer: sandboxes, or their JSON with commas between. */
struct listing {
	bool json;
	struct buf kept;
	char user[sizeof(((struct paths *)NULL)->user)]; /* whose we are */
};

static enum sbx_err
keep(void *context, struct json_object *item, struct sbx_why *why)
{
	struct listing *listing = context;
	struct sandbox sandbox = { .id = "" };
	enum sbx_err err = sandbox_read(item, &sandbox, why);

	if (err != SBX_OK)
		return err;
	if (!listing->json) {
		buf_put(&listing->kept, &sandbox, sizeof(sandbox));
	} else {
		if (listing->kept.len > 0)
			buf_put_text(&listing->kept, ",");
		buf_put_text(&listing->kept, sandbox_json(item));
	}
	return buf_error(&listing->kept);
}

static enum sbx_err
fetch(const struct values *values, struct listing *listing, struct sbx_why *why)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_buf struct buf query = BUF_INIT(QUERY_MAX);
	struct pages pages = {
		.max = LIST_MAX, .take = keep, .context = listing
	};
	bool complete = false;
	enum sbx_err err;

	if (values->state != 0)
		pages_put_query(&query, "state", states[values->state]);
	if (*values->provider != '\0')
		pages_put_query(&query, "provider", values->provider);
	for (size_t i = 0; i < values->labels.count; i++)
		pages_put_query(&query, "label", values->labels.text[i]);
	err = buf_error(&query);
	if (err == SBX_OK)
		err = ctl_open(&broker, values->domain, why);
	if (err != SBX_OK)
		return err;
	memcpy(listing->user, broker.paths.user, sizeof(listing->user));
	pages.query = buf_text(&query);
	pages.seconds = LIST_PATIENCE * broker.client.settings.timeout;
	err = pages_read(&broker.client, &pages, &complete, why);
	if (err == SBX_OK ? !complete : buf_error(&listing->kept) != SBX_OK)
		return sbx_fail(why, SBX_TOO_LARGE,
		    "the broker lists more than %d sandboxes, or %d MiB of "
		    "them: ask for fewer, with --state or --label",
		    LIST_MAX, LIST_BYTES >> 20);
	return err;
}

#define COLUMNS 7
#define OWNER 5 /* the last ones: not there if all are the caller's */
#define VERBS 6
#define CELL_LEN 96

/* As many columns as there are. */
struct table {
	size_t columns;
	int width[COLUMNS];
	uint64_t now;
};

static void
widen(struct table *table, const char row[COLUMNS][CELL_LEN])
{
	for (size_t i = 0; i < table->columns; i++) {
		int len = (int)strlen(row[i]);

		if (len > table->width[i])
			table->width[i] = len;
	}
}

static void
print_row(const struct table *table, const char row[COLUMNS][CELL_LEN])
{
	for (size_t i = 0; i + 1 < table->columns; i++)
		(void)printf("%-*s  ", table->width[i], row[i]);
	(void)puts(row[table->columns - 1]);
}

static void
set_cell(char cell[static CELL_LEN], const char *text)
{
	cleanup_buf struct buf plain = BUF_INIT(5 * CELL_LEN);

	text_escape(VIEW_STR(text), CELL_LEN / 4 * 3, true, &plain);
	(void)snprintf(cell, CELL_LEN, "%s", buf_text(&plain));
}

static void
fill_row(
    const struct sandbox *sandbox, uint64_t now, char row[COLUMNS][CELL_LEN])
{
	char span[SANDBOX_TIME_LEN], state[SANDBOX_WORD + 8];

	set_cell(row[0], sandbox->id);
	(void)snprintf(state, sizeof(state), "%s%s", sandbox->state,
	    sandbox->held ? ",held" : "");
	set_cell(row[1], state);
	sandbox_put_span(sandbox->created_at, now, span);
	set_cell(row[2], span);
	sandbox_put_expiry(sandbox->expires_at, now, span);
	set_cell(row[3],
	    sandbox->session && sandbox->expires_at == 0 ? "session" : span);
	set_cell(row[4], sandbox->isolation);
	set_cell(row[OWNER], sandbox->owner);
	set_cell(row[VERBS], sandbox->verbs);
}

/* Whoever has but their own need not read their name on every line. */
static bool
are_all_of(const char *user, const struct sandbox *sandboxes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(sandboxes[i].owner, user) != 0)
			return false;
	}
	return true;
}

/* Twice over the list: the widths, then the lines. */
static void
print_table(const struct buf *kept, const char *user)
{
	static const char head[COLUMNS][CELL_LEN] = { "ID", "STATE", "AGE",
		"EXPIRES", "ISOLATION", "OWNER", "YOU MAY" };
	const struct sandbox *sandboxes = (const void *)kept->p;
	size_t count = kept->len / sizeof(*sandboxes);
	struct table table = {
		.columns = are_all_of(user, sandboxes, count) ? OWNER : COLUMNS,
		.now = (uint64_t)time(NULL),
	};
	char row[COLUMNS][CELL_LEN];

	widen(&table, head);
	for (size_t i = 0; i < count; i++) {
		fill_row(&sandboxes[i], table.now, row);
		widen(&table, row);
	}
	print_row(&table, head);
	for (size_t i = 0; i < count; i++) {
		fill_row(&sandboxes[i], table.now, row);
		print_row(&table, row);
	}
}

static void
print_json(const struct buf *kept)
{
	(void)putchar('[');
	sandbox_put_escaped(buf_text(kept), stdout);
	(void)puts("]");
}

int
ctl_list(int argc, char **argv)
{
	static const struct operands none = { 0, 0, NULL };
	struct values values = { .state = 0 };
	struct sbx_why why = { "" };
	struct listing listing = { .kept = BUF_INIT(LIST_BYTES) };
	int first = 0;
	enum opt_result result = opt_parse(&usage, argc, argv, &values, &first);
	enum sbx_err err;

	if (result == OPT_RUN)
		result = opt_operands(&usage, argc, argv, first, &none);
	if (result != OPT_RUN)
		return opt_status(result);
	listing.json = values.json;
	err = fetch(&values, &listing, &why);
	if (err == SBX_OK && values.json)
		print_json(&listing.kept);
	else if (err == SBX_OK)
		print_table(&listing.kept, listing.user);
	buf_free(&listing.kept);
	return err == SBX_OK ? opt_flush() : ctl_failure(err, &why);
}
