/* SPDX-License-Identifier: ISC */
#include "ctl/visits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "ctl/sandbox.h"
#include "net/reply.h"

#define UNKNOWN UINT64_MAX
#define WORD_LEN 256
#define CERTIFICATES 5 /* that people are told */

struct visit {
	char key_id[WORD_LEN];
	char from[WORD_LEN];
	char terminals[WORD_LEN];
	uint64_t since;
	uint64_t idle;
	uint64_t expires_at;
};

#define MEMBER(type, size, optional, name)                                 \
	{                                                                  \
#name, type, optional, offsetof(struct visit, name), size, \
		    INT64_MAX, 0                                           \
	}

static const struct reply_field session_fields[] = {
	MEMBER(REPLY_TEXT, WORD_LEN, true, key_id),
	MEMBER(REPLY_TEXT, WORD_LEN, true, from),
	MEMBER(REPLY_TEXT, WORD_LEN, true, terminals),
	MEMBER(REPLY_UINT, 0, false, since),
	MEMBER(REPLY_UINT, 0, true, idle),
};

static const struct reply_field certificate_fields[] = {
	MEMBER(REPLY_TEXT, WORD_LEN, false, key_id),
	MEMBER(REPLY_UINT, 0, false, expires_at),
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void
put_word(struct buf *line, const char *before, const char *word)
{
	buf_put_text(line, before);
	text_escape(VIEW_STR(word), WORD_LEN, /* quote= */ false, line);
}

/* "alice/run-1/0123 since 2026-11-21T09:30:00Z (12m) on pts/0, idle 3m" */
static void
print_session(const struct visit *v, uint64_t now)
{
	cleanup_buf struct buf line = BUF_INIT(4096);
	char time[TEXT_TIME_LEN], span[SANDBOX_TIME_LEN];

	put_word(
	    &line, "session: ", *v->key_id == '\0' ? "somebody" : v->key_id);
	text_put_time(v->since, time);
	sandbox_put_span(v->since, now, span);
	buf_printf(&line, " since %s (%s)", time, span);
	if (*v->from != '\0')
		put_word(&line, " from ", v->from);
	if (*v->terminals != '\0')
		put_word(&line, " on ", v->terminals);
	if (v->idle != UNKNOWN) {
		sandbox_put_span(0, v->idle, span);
		buf_printf(&line, ", idle %s", span);
	}
	(void)puts(buf_text(&line));
}

static void
print_certificate(const struct visit *v, uint64_t now)
{
	cleanup_buf struct buf line = BUF_INIT(4096);
	char time[TEXT_TIME_LEN], span[SANDBOX_TIME_LEN];

	put_word(&line, "certificate: ", v->key_id);
	text_put_time(v->expires_at, time);
	sandbox_put_expiry(v->expires_at, now, span);
	buf_printf(&line, " until %s (%s)", time, span);
	(void)puts(buf_text(&line));
}

struct unused {
	char auto_stop[WORD_LEN];
	uint64_t stops_at;
};

static const struct reply_field unused_fields[] = {
	{ "auto_stop", REPLY_TEXT, false, offsetof(struct unused, auto_stop),
	    WORD_LEN, 0, 0 },
	{ "stops_at", REPLY_UINT, true, offsetof(struct unused, stops_at), 0,
	    INT64_MAX, 0 },
};

/* When it stops by itself, or why it does not. */
static void
print_auto_stop(struct json_object *sandbox, bool runs, uint64_t now)
{
	char time[TEXT_TIME_LEN], span[SANDBOX_TIME_LEN];
	cleanup_buf struct buf line = BUF_INIT(4096);
	struct unused unused = { .stops_at = UNKNOWN };
	struct json_object *list;

	if (reply_read(sandbox, unused_fields, LENGTH(unused_fields), &unused,
		NULL) != SBX_OK)
		return;
	put_word(&line, "auto_stop: ", unused.auto_stop);
	buf_put_text(&line, " after the last session");
	if (unused.stops_at != UNKNOWN) {
		text_put_time(unused.stops_at, time);
		sandbox_put_expiry(unused.stops_at, now, span);
		buf_printf(&line, ", at %s (%s)", time, span);
	} else if (json_object_object_get_ex(sandbox, "sessions", &list)) {
		buf_printf(&line, "; sessions now: %zu",
		    json_object_array_length(list));
	} else if (runs) {
		buf_put_text(&line, "; nobody knows whether there is one");
	}
	(void)puts(buf_text(&line));
}

/* How many there are. */
static size_t
print_all(struct json_object *sandbox, const char *name,
    const struct reply_field *fields, size_t count,
    void (*print)(const struct visit *, uint64_t), size_t max, uint64_t now)
{
	struct json_object *list;
	size_t all;

	if (!json_object_object_get_ex(sandbox, name, &list) ||
	    !json_object_is_type(list, json_type_array))
		return 0;
	all = json_object_array_length(list);
	for (size_t i = 0; i < all && i < max; i++) {
		struct visit v = { .idle = UNKNOWN };

		if (reply_read(json_object_array_get_idx(list, i), fields,
			count, &v, NULL) == SBX_OK)
			print(&v, now);
	}
	return all;
}

void
visits_print(struct json_object *sandbox, bool runs, uint64_t now)
{
	struct json_object *number = NULL;
	size_t told;
	int64_t all = 0;

	print_auto_stop(sandbox, runs, now);
	(void)print_all(sandbox, "sessions", session_fields,
	    LENGTH(session_fields), print_session, SIZE_MAX, now);
	told = print_all(sandbox, "certificates", certificate_fields,
	    LENGTH(certificate_fields), print_certificate, CERTIFICATES, now);
	if (told > CERTIFICATES)
		told = CERTIFICATES;
	if (json_object_object_get_ex(sandbox, "certificate_count", &number))
		all = json_object_get_int64(number);
	if (all > (int64_t)told)
		(void)printf("certificates: %" PRId64 " more that live\n",
		    all - (int64_t)told);
}
