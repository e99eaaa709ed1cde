#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/label.h"
#include "ctl/sandbox.h"
#include "net/reply.h"

#define PAGES_MAX 100000
#define PATH_MAX_LEN 4096
#define CURSOR_LEN 512

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
	    { "label", field_label, offsetof(struct values, labels), 0, 0, NULL,
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

/* "&name=value", percent-encoded (RFC 3986). */
static void
put_query(struct buf *path, const char *name, const char *value)
{
	buf_printf(path,
	    "%c%s=", strchr(buf_text(path), '?') == NULL ? '?' : '&', name);
	for (const char *c = value; *c != '\0'; c++) {
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		    (*c >= '0' && *c <= '9') || strchr("-._~", *c) != NULL)
			buf_put_u8(path, (uint8_t)*c);
		else
			buf_printf(path, "%%%02X", (unsigned char)*c);
	}
}

/* One page: its items are added to all, *cursor is where the next begins. */
static enum sbx_err
fetch_page(struct client *client, const struct values *values,
    struct json_object *all, char cursor[static CURSOR_LEN],
    struct sbx_why *why)
{
	static const struct reply_field field = { "next_cursor", REPLY_TEXT,
		true, 0, CURSOR_LEN, 0, 0 };
	cleanup_object struct json_object *object = NULL;
	cleanup_buf struct buf path = BUF_INIT(PATH_MAX_LEN);
	struct json_object *items = NULL;
	enum sbx_err err;

	buf_put_text(&path, "/v1/sandboxes");
	if (values->state != 0)
		put_query(&path, "state", states[values->state]);
	for (size_t i = 0; i < values->labels.count; i++)
		put_query(&path, "label", values->labels.text[i]);
	if (*cursor != '\0')
		put_query(&path, "cursor", cursor);
	*cursor = '\0';
	if (buf_error(&path) != SBX_OK)
		return buf_error(&path);
	err = client_call(client, "GET", buf_text(&path), NULL,
	    /* extra= */ 0, &object, why);
	if (err == SBX_OK && object != NULL)
		err = reply_read(object, &field, 1, cursor, why);
	if (err != SBX_OK)
		return err;
	(void)json_object_object_get_ex(object, "items", &items);
	if (!json_object_is_type(items, json_type_array))
		return sbx_fail(why, SBX_PROTOCOL,
		    "the broker's answer is not a list of sandboxes");
	for (size_t i = 0; i < json_object_array_length(items); i++) {
		if (json_object_array_add(all,
			json_object_get(json_object_array_get_idx(items, i))) !=
		    0)
			return SBX_NOMEM;
	}
	return SBX_OK;
}

static enum sbx_err
fetch(const struct values *values, struct json_object *all, struct sbx_why *why)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	char cursor[CURSOR_LEN] = "";
	enum sbx_err err = ctl_open(&broker, values->domain, why);

	for (size_t page = 0; err == SBX_OK; page++) {
		if (page == PAGES_MAX)
			return sbx_fail(why, SBX_PROTOCOL,
			    "the broker's list does not end");
		err = fetch_page(&broker.client, values, all, cursor, why);
		if (*cursor == '\0')
			break;
	}
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

static enum sbx_err
fill_row(struct json_object *object, uint64_t now, char row[COLUMNS][CELL_LEN],
    struct sbx_why *why)
{
	char span[SANDBOX_TIME_LEN];
	struct sandbox sandbox;
	enum sbx_err err = sandbox_read(object, &sandbox, why);

	if (err != SBX_OK)
		return err;
	set_cell(row[0], sandbox.id);
	set_cell(row[1], sandbox.state);
	sandbox_put_span(sandbox.created_at, now, span);
	set_cell(row[2], span);
	sandbox_put_expiry(sandbox.expires_at, now, span);
	set_cell(row[3], span);
	set_cell(row[4], sandbox.isolation);
	return SBX_OK;
}

/* Twice over the list: the widths, then the lines. */
static enum sbx_err
print_table(struct json_object *all, struct sbx_why *why)
{
	static const char head[COLUMNS][CELL_LEN] = { "ID", "STATE", "AGE",
		"EXPIRES", "ISOLATION" };
	uint64_t now = (uint64_t)time(NULL);
	size_t count = json_object_array_length(all);
	int width[COLUMNS] = { 0 };
	char row[COLUMNS][CELL_LEN];

	widen(head, width);
	for (size_t i = 0; i < count; i++) {
		enum sbx_err err =
		    fill_row(json_object_array_get_idx(all, i), now, row, why);

		if (err != SBX_OK)
			return err;
		widen(row, width);
	}
	print_row(head, width);
	for (size_t i = 0; i < count; i++) {
		enum sbx_err err =
		    fill_row(json_object_array_get_idx(all, i), now, row, why);

		if (err != SBX_OK)
			return err;
		print_row(row, width);
	}
	return SBX_OK;
}

int
ctl_list(int argc, char **argv)
{
	cleanup_object struct json_object *all = json_object_new_array();
	struct values values = { .state = 0 };
	struct sbx_why why = { "" };
	int first = 0;
	enum opt_result result = opt_parse(&usage, argc, argv, &values, &first);
	enum sbx_err err;

	if (result != OPT_RUN)
		return ctl_status(result);
	if (first != argc) {
		log_error("list takes no operand: for one sandbox, "
			  "sandboxctl show ID");
		return EX_USAGE;
	}
	err = all == NULL ? SBX_NOMEM : fetch(&values, all, &why);
	if (err == SBX_OK && values.json)
		sandbox_print_json(all);
	else if (err == SBX_OK)
		err = print_table(all, &why);
	return err == SBX_OK ? ctl_flush() : log_failure(err, &why);
}
