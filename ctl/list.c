/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"
#include "ctl/follow.h"
#include "ctl/listing.h"

#define TOP "\033[H\033[J" /* of a terminal, with nothing below */
#define PAUSE 500	   /* milliseconds between two looks */

struct values {
	struct filter filter;
	bool watch;
	bool json;
	char domain[FIELD_TEXT];
};

static const struct opt options[] = {
	{ 0, "STATE",
	    { "state", field_choice, offsetof(struct values, filter.state), 0,
		0, "any", "only those in this state", filter_states } },
	{ 0, "KEY=VALUE",
	    { "label", field_label, offsetof(struct values, filter.labels), 0,
		1, NULL, "only those with this label", NULL } },
	{ 0, "NAME",
	    { "provider", field_text, offsetof(struct values, filter.provider),
		0, 0, NULL, "only those of this provider", NULL } },
	{ 0, "KEY=VALUE",
	    { "filter", field_filter, offsetof(struct values, filter), 0, 0,
		NULL, "the same by state, provider, owner or label", NULL } },
	{ 0, NULL,
	    { "watch", field_bool, offsetof(struct values, watch), 0, 0, NULL,
		"go on with what changes", NULL } },
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
are_all_of(const char *user, const struct listing *listing)
{
	for (size_t i = 0; i < listing_count(listing); i++) {
		if (strcmp(listing_at(listing, i)->sandbox.owner, user) != 0)
			return false;
	}
	return true;
}

static void
print_sandbox(const struct table *table, const struct sandbox *sandbox)
{
	char row[COLUMNS][CELL_LEN];

	fill_row(sandbox, table->now, row);
	print_row(table, row);
}

/* Twice over the list: the widths, then the lines. */
static void
print_table(
    struct table *table, const struct listing *listing, const char *user)
{
	static const char head[COLUMNS][CELL_LEN] = { "ID", "STATE", "AGE",
		"EXPIRES", "ISOLATION", "OWNER", "YOU MAY" };
	char row[COLUMNS][CELL_LEN];

	*table = (struct table){
		.columns = are_all_of(user, listing) ? OWNER : COLUMNS,
		.now = (uint64_t)time(NULL),
	};
	widen(table, head);
	for (size_t i = 0; i < listing_count(listing); i++) {
		fill_row(&listing_at(listing, i)->sandbox, table->now, row);
		widen(table, row);
	}
	print_row(table, head);
	for (size_t i = 0; i < listing_count(listing); i++)
		print_sandbox(table, &listing_at(listing, i)->sandbox);
}

static void
print_json(const struct listing *listing)
{
	(void)putchar('[');
	for (size_t i = 0; i < listing_count(listing); i++) {
		if (i > 0)
			(void)putchar(',');
		sandbox_put_escaped(
		    listing_json(listing, listing_at(listing, i)), stdout);
	}
	(void)puts("]");
}

/*
 * Watching.
 */

struct watch {
	struct listing listing[2]; /* now, and before */
	struct table table;
	const char *user;
	bool json;
	bool terminal;
};

/* One that is there now; or was: then its state is "removed". */
static void
print_change(struct watch *w, const struct listing *listing,
    const struct listed *item, bool there)
{
	struct sandbox gone = item->sandbox;

	if (!w->json) {
		if (!there)
			(void)snprintf(
			    gone.state, sizeof(gone.state), "removed");
		print_sandbox(&w->table, &gone);
	} else if (there) {
		sandbox_put_escaped(listing_json(listing, item), stdout);
		(void)putchar('\n');
	} else {
		(void)printf(
		    "{\"id\":\"%s\",\"state\":\"removed\"}\n", gone.id);
	}
}

static bool
are_same(const struct watch *w, const struct listed *a, const struct listed *b)
{
	return w->json
	    ? strcmp(listing_json(&w->listing[0], a),
		  listing_json(&w->listing[1], b)) == 0
	    : memcmp(&a->sandbox, &b->sandbox, sizeof(a->sandbox)) == 0;
}

/* Both are by id. */
static void
print_changes(struct watch *w)
{
	const struct listing *now = &w->listing[0], *before = &w->listing[1];
	size_t i = 0, j = 0;

	w->table.now = (uint64_t)time(NULL);
	while (i < listing_count(now) || j < listing_count(before)) {
		const struct listed *a = listing_at(now, i);
		const struct listed *b = listing_at(before, j);
		int order = i == listing_count(now) ? 1
		    : j == listing_count(before)
		    ? -1
		    : strcmp(a->sandbox.id, b->sandbox.id);

		if (order > 0)
			print_change(w, before, b, /* there= */ false);
		else if (order < 0 || !are_same(w, a, b))
			print_change(w, now, a, /* there= */ true);
		i += order <= 0;
		j += order >= 0;
	}
}

/* Is it one after which a list looks otherwise? */
static enum sbx_err
note(void *context, struct json_object *event, struct sbx_why *why)
{
	static const char *const others[] = { "certificate", "refused",
		"denied" };
	struct json_object *word = NULL;
	const char *text = "";

	(void)why;
	(void)json_object_object_get_ex(event, "event", &word);
	if (json_object_is_type(word, json_type_string))
		text = json_object_get_string(word);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(text, others[i]) == 0)
			return SBX_OK;
	}
	*(bool *)context = true;
	return SBX_OK;
}

static void
print_first(struct watch *w)
{
	if (w->terminal)
		(void)fputs(TOP, stdout);
	if (!w->json)
		print_table(&w->table, &w->listing[0], w->user);
	else
		print_changes(w); /* there was nothing before */
}

static enum sbx_err
look_again(struct watch *w, struct broker *broker, struct sbx_why *why)
{
	const struct timespec pause = { 0, PAUSE * 1000000L };
	struct listing now = w->listing[1];
	enum sbx_err err;

	/* Much that happens at once is one look. */
	(void)nanosleep(&pause, NULL);
	w->listing[1] = w->listing[0];
	w->listing[0] = now;
	err = listing_read(&w->listing[0], broker, why);
	if (err == SBX_OK && !w->terminal)
		print_changes(w);
	return err;
}

static enum sbx_err
watch(struct watch *w, struct broker *broker, int *ret_status,
    struct sbx_why *why)
{
	struct follow follow = { .next = FOLLOW_NOW };
	bool changed = false;
	enum sbx_err err = follow_read(&follow, broker, 0, note, &changed, why);

	if (err == SBX_OK)
		err = listing_read(&w->listing[0], broker, why);
	if (err == SBX_OK)
		print_first(w);
	while (err == SBX_OK && (*ret_status = opt_flush()) == 0) {
		changed = false;
		err = follow_read(
		    &follow, broker, FOLLOW_WAIT, note, &changed, why);
		if (err == SBX_OK && changed)
			err = look_again(w, broker, why);
		/* Ages change by themselves. */
		if (err == SBX_OK && w->terminal)
			print_first(w);
	}
	return err;
}

static enum sbx_err
list(const struct values *values, int *ret_status, struct sbx_why *why)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	struct watch w = { .listing = { LISTING_INIT(
					    &values->filter, values->json),
			       LISTING_INIT(&values->filter, values->json) },
		.json = values->json,
		.terminal = !values->json && isatty(STDOUT_FILENO) != 0 };
	enum sbx_err err = ctl_open(&broker, values->domain, why);

	w.user = broker.paths.user;
	if (err == SBX_OK && values->watch)
		err = watch(&w, &broker, ret_status, why);
	else if (err == SBX_OK)
		err = listing_read(&w.listing[0], &broker, why);
	if (err == SBX_OK && !values->watch) {
		if (values->json)
			print_json(&w.listing[0]);
		else
			print_table(&w.table, &w.listing[0], w.user);
		*ret_status = opt_flush();
	}
	listing_free(&w.listing[0]);
	listing_free(&w.listing[1]);
	return err;
}

int
ctl_list(int argc, char **argv)
{
	static const struct operands none = { 0, 0, NULL };
	struct values values = { .watch = false };
	struct sbx_why why = { "" };
	int first = 0, status = 0;
	enum opt_result result = opt_parse(&usage, argc, argv, &values, &first);
	enum sbx_err err;

	if (result == OPT_RUN)
		result = opt_operands(&usage, argc, argv, first, &none);
	if (result != OPT_RUN)
		return opt_status(result);
	err = list(&values, &status, &why);
	return err == SBX_OK ? status : ctl_failure(err, &why);
}
