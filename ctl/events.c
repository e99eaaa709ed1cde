/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/text.h"
#include "ctl/follow.h"
#include "ctl/sandbox.h"
#include "net/reply.h"

struct values {
	uint64_t after;
	bool follow;
	bool json;
	char domain[FIELD_TEXT];
};

static const struct opt options[] = {
	{ 0, "NUMBER",
	    { "after", field_uint, offsetof(struct values, after), 0, INT64_MAX,
		NULL, "only those with higher numbers", NULL } },
	{ 0, NULL,
	    { "follow", field_bool, offsetof(struct values, follow), 0, 0, NULL,
		"go on with what happens from now on", NULL } },
	CTL_DOMAIN_OPTION(offsetof(struct values, domain)),
	SANDBOX_JSON_OPTION(offsetof(struct values, json)),
};

static const struct usage usage = {
	.program = "sandboxctl events",
	.args = "[options] [ID]",
	.summary = "What happened to sandboxes, and because of what.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

#define WORD 256
#define DETAIL 1024

struct event {
	uint64_t time;
	char event[WORD];
	char sandbox[WORD];
	char owner[WORD];
	char cause[WORD];
	char by[WORD];
	char detail[DETAIL];
};

#define TEXT(m, optional)                                            \
	{                                                            \
#m, REPLY_TEXT, optional, offsetof(struct event, m), \
		    sizeof(((struct event *)NULL)->m), 0, 0          \
	}

static const struct reply_field fields[] = {
	{ "time", REPLY_UINT, false, offsetof(struct event, time), 0, INT64_MAX,
	    0 },
	TEXT(event, false),
	TEXT(sandbox, true),
	TEXT(owner, false),
	TEXT(cause, true),
	TEXT(by, true),
	TEXT(detail, true),
};

struct printer {
	bool json;
	char user[sizeof(((struct paths *)NULL)->user)]; /* whose we are */
	size_t printed;
};

/* As much of it as there is, in so many columns at least. */
static void
put(struct buf *line, const char *before, const char *text, size_t width)
{
	size_t end;

	if (*text == '\0')
		return;
	buf_put_text(line, before);
	end = line->len + width;
	text_escape(VIEW_STR(text), DETAIL, /* quote= */ width > 0, line);
	while (line->len < end && buf_error(line) == SBX_OK)
		buf_put_u8(line, ' ');
}

/* TIME ID EVENT CAUSE, then what there is besides. */
static enum sbx_err
print_text(const struct printer *printer, const struct event *e)
{
	cleanup_buf struct buf line = BUF_INIT(16384);
	char when[TEXT_TIME_LEN];

	text_put_time(e->time, when);
	put(&line, "", *when == '\0' ? "-" : when, 1);
	put(&line, "  ", *e->sandbox == '\0' ? "-" : e->sandbox, 16);
	put(&line, "  ", e->event, 11);
	put(&line, "  ", *e->cause == '\0' ? "-" : e->cause, 1);
	put(&line, " by ", e->by, 1);
	if (strcmp(e->owner, printer->user) != 0)
		put(&line, " of ", e->owner, 1);
	put(&line, ": ", e->detail, 0);
	if (buf_error(&line) == SBX_OK)
		(void)puts(buf_text(&line));
	return buf_error(&line);
}

static enum sbx_err
print(void *context, struct json_object *object, struct sbx_why *why)
{
	struct printer *printer = context;
	struct event event = { .time = 0 };
	enum sbx_err err = json_object_is_type(object, json_type_object)
	    ? reply_read(object, fields, sizeof(fields) / sizeof(fields[0]),
		  &event, why)
	    : sbx_fail(why, SBX_PROTOCOL, "the broker's answer is no event");

	if (err != SBX_OK)
		return err;
	printer->printed++;
	if (!printer->json)
		return print_text(printer, &event);
	sandbox_print_json(object);
	return SBX_OK;
}

static enum sbx_err
print_all(const struct values *values, const char *name, int *ret_status,
    struct sbx_why *why)
{
	cleanup_broker struct broker broker = BROKER_INIT;
	cleanup_object struct json_object *sandbox = NULL;
	struct printer printer = { .json = values->json };
	struct follow follow = { .next = values->after };
	enum sbx_err err = name == NULL
	    ? ctl_open(&broker, values->domain, why)
	    : ctl_open_name(&broker, name, values->domain, why);

	if (err != SBX_OK)
		return err;
	memcpy(printer.user, broker.paths.user, sizeof(printer.user));
	if (name != NULL)
		follow.sandbox = broker.alias.id;
	do {
		err = follow_read(&follow, &broker,
		    values->follow && follow.at_end ? FOLLOW_WAIT : 0, print,
		    &printer, why);
		*ret_status = opt_flush();
		if (err == SBX_OK && follow.at_end && printer.printed == 0 &&
		    values->after == 0 && name != NULL && sandbox == NULL)
			err = ctl_call(&broker, "GET", /* tail= */ "", NULL,
			    &sandbox, why);
	} while (err == SBX_OK && *ret_status == 0 &&
	    (values->follow || !follow.at_end));
	return err;
}

int
ctl_events(int argc, char **argv)
{
	static const struct operands one = { 0, 1, "ID" };
	struct values values = { .follow = false };
	struct sbx_why why = { "" };
	int first = 0, status = 0;
	enum opt_result result = opt_parse(&usage, argc, argv, &values, &first);
	enum sbx_err err;

	if (result == OPT_RUN)
		result = opt_operands(&usage, argc, argv, first, &one);
	if (result != OPT_RUN)
		return opt_status(result);
	err = argv[first] == NULL ? SBX_OK : ctl_check_name(argv[first], &why);
	if (err == SBX_OK)
		err = print_all(&values, argv[first], &status, &why);
	return err == SBX_OK ? status : ctl_failure(err, &why);
}
