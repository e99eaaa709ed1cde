/* SPDX-License-Identifier: ISC */
#include "ctl/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "net/reply.h"

#define WORD_LEN 16
#define SIZE_LEN 32
#define UNKNOWN UINT64_MAX

static const struct {
	const char *name; /* of the member, and of the line */
	bool bytes;
	const char *each; /* what each has that much */
} rows[] = {
	{ "processes", false, "" },
	{ "memory", true, "" },
	{ "tmpfs", true, " each: /tmp, /dev/shm, all but the home" },
	{ "ptys", false, " in /dev/pts; not in one mounted inside" },
	{ "workspace", true, "" },
	{ "workspace_files", false, "" },
};

static const struct {
	const char *enforced;
	const char *said;
} words[] = {
	{ "kernel", "" },
	{ "process",
	    " for each process, but not what it shares (memfd, tmpfs)" },
	{ "measured", ", looked at now and then" },
	{ "none", ", which nothing enforces here" },
};

struct limit {
	uint64_t max;
	uint64_t used;
	char enforced[WORD_LEN];
};

static const struct reply_field fields[] = {
	{ "max", REPLY_UINT, false, offsetof(struct limit, max), 0, INT64_MAX,
	    0 },
	{ "used", REPLY_UINT, true, offsetof(struct limit, used), 0, INT64_MAX,
	    0 },
	{ "enforced", REPLY_TEXT, false, offsetof(struct limit, enforced),
	    WORD_LEN, 0, 0 },
};

static void
put_amount(uint64_t value, bool bytes, char ret[static SIZE_LEN])
{
	static const char units[] = " KMGTPE";
	size_t i = 0;
	uint64_t rest = 0;

	if (bytes) {
		for (; value >= 1024 && units[i + 1] != '\0'; i++) {
			rest = value % 1024;
			value /= 1024;
		}
	}
	if (i == 0)
		(void)snprintf(ret, SIZE_LEN, "%" PRIu64, value);
	else if (value < 10)
		(void)snprintf(ret, SIZE_LEN, "%" PRIu64 ".%" PRIu64 "%c",
		    value, rest * 10 / 1024, units[i]);
	else
		(void)snprintf(ret, SIZE_LEN, "%" PRIu64 "%c", value, units[i]);
}

static void
print_row(size_t i, const struct limit *limit)
{
	char used[SIZE_LEN] = "", max[SIZE_LEN];
	const char *said = "";

	put_amount(limit->max, rows[i].bytes, max);
	if (limit->used != UNKNOWN)
		put_amount(limit->used, rows[i].bytes, used);
	for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++) {
		if (strcmp(words[j].enforced, limit->enforced) == 0)
			said = words[j].said;
	}
	(void)printf("%s: %s%s%s%s%s%s\n", rows[i].name, used,
	    *used == '\0' ? "at most " : " of ", max, rows[i].each, said,
	    limit->used != UNKNOWN && limit->used >= limit->max ? " (THE LIMIT)"
								: "");
}

void
limits_print(struct json_object *sandbox)
{
	struct json_object *limits, *object;

	if (!json_object_object_get_ex(sandbox, "limits", &limits))
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct limit limit = { .used = UNKNOWN };

		if (json_object_object_get_ex(limits, rows[i].name, &object) &&
		    reply_read(object, fields,
			sizeof(fields) / sizeof(fields[0]), &limit,
			NULL) == SBX_OK)
			print_row(i, &limit);
	}
}
