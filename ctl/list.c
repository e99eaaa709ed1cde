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
	for (size_t i = 0; i < values->labels.count; i++)
		pages_put_query(&query, "label", values->labels.text[i]);
	err = buf_error(&query);
	if (err == SBX_OK)
		err = ctl_open(&broker, values->domain, why);
	if (err != SBX_OK)
		return err;
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

#define COLUMNS 5
#define CELL_LEN 96

static void
widen(const char row[COLUMNS][CELL_LEN], int width[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		int len = (int)strlen(row[i]);

		width[i] = len > width[i] ? len : width[i];
	}
}

static void
print_row(const char row[COLUMNS][CELL_LEN], const int width[COLUMNS])
{
	for (size_t i = 0; i + 1 < COLUMNS; i++)
		(void)printf("%-*s  ", width[i], row[i]);
	(void)puts(row[COLUMNS - 1]);
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
	set_cell(row[3], span);
	set_cell(row[4], sandbox->isolation);
}

/* Twice over the list: the widths, then the lines. */
static void
print_table(const struct buf *kept)
{
	static const char head[COLUMNS][CELL_LEN] = { "ID", "STATE", "AGE",
		"EXPIRES", "ISOLATION" };
	const struct sandbox *sandboxes = (const void *)kept->p;
	size_t count = kept->len / sizeof(*sandboxes);
	uint64_t now = (uint64_t)time(NULL);
	int width[COLUMNS] = { 0 };
	char row[COLUMNS][CELL_LEN];

	widen(head, width);
	for (size_t i = 0; i < count; i++) {
		fill_row(&sandboxes[i], now, row);
		widen(row, width);
	}
	print_row(head, width);
	for (size_t i = 0; i < count; i++) {
		fill_row(&sandboxes[i], now, row);
		print_row(row, width);
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
		return ctl_status(result);
	listing.json = values.json;
	err = fetch(&values, &listing, &why);
	if (err == SBX_OK && values.json)
		print_json(&listing.kept);
	else if (err == SBX_OK)
		print_table(&listing.kept);
	buf_free(&listing.kept);
	return err == SBX_OK ? ctl_flush() : ctl_failure(err, &why);
}
