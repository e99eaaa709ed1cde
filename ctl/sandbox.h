/* SPDX-License-Identifier: ISC */
/*
 * A sandbox as the broker tells of it, and as people read it.
 */
#ifndef SBX_CTL_SANDBOX_H
#define SBX_CTL_SANDBOX_H

#include <json-c/json.h>
#include <stdio.h>

#include "common/name.h"
#include "common/opt.h"

#define SANDBOX_WORD 64
#define SANDBOX_TIME_LEN 32

struct sandbox {
	char id[NAME_ID_MAX + 1];
	char provider[NAME_ID_MAX + 1];
	char state[SANDBOX_WORD];
	char isolation[SANDBOX_WORD];
	char owner[256];
	char verbs[128];     /* what we may do; "": an older broker */
	bool held;	     /* connecting does not start it */
	bool ephemeral;	     /* a stop leaves nothing of its files */
	bool session;	     /* ends with the connection that made it */
	char network[16];    /* "": none */
	char root[512];	     /* folder or tar of its own root; "": none */
	uint64_t created_at; /* Unix time */
	uint64_t expires_at; /* 0: no end */
};

/* SBX_PROTOCOL if object is NULL or not of that form. */
enum sbx_err sandbox_read(struct json_object *object, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;

/* "3h": the time between two moments in its largest unit. */
void
sandbox_put_span(uint64_t from, uint64_t to, char ret[static SANDBOX_TIME_LEN]);
/* "59m", "never" or "over". */
void sandbox_put_expiry(
    uint64_t expires_at, uint64_t now, char ret[static SANDBOX_TIME_LEN]);

/* key: value lines on stdout. */
void sandbox_print(
    const struct sandbox *sandbox, struct json_object *object, uint64_t now);
/* As JSON, on one line, for sandbox_put_escaped; it lives as object does. */
const char *sandbox_json(struct json_object *object);
/* JSON as it is shown: control characters that JSON allows are escaped. */
void sandbox_put_escaped(const char *json, FILE *out);
/* As JSON, one line, control characters escaped. */
void sandbox_put_json(struct json_object *object, FILE *out);
/* The same on stdout. */
void sandbox_print_json(struct json_object *object);
/*
 * What changed, on stdout: the object with json, otherwise "ID STATE", and
 * ": ssh NAME" for who is to get in by that name; NULL for none.  The exit
 * status.
 */
int sandbox_report(struct json_object *object, bool json, const char *name);
/* A loud line on stderr if it is not isolated. */
void sandbox_warn(const struct sandbox *sandbox);

/* The row that verbs with --json have in their options; bool at offset. */
#define SANDBOX_JSON_OPTION(offset)                               \
	{                                                         \
		0, NULL,                                          \
		{                                                 \
			"json", field_bool, (offset), 0, 0, NULL, \
			    "as JSON, for scripts", NULL          \
		}                                                 \
	}

#endif
