/* SPDX-License-Identifier: ISC */
/*
 * What a sandbox is to be like: the options of the verbs that make one, and
 * the call that does.
 */
#ifndef SBX_CTL_WISH_H
#define SBX_CTL_WISH_H

#include <json-c/json.h>

#include "common/limits.h"
#include "common/name.h"
#include "ctl/ctl.h"
#include "ctl/label.h"
#include "ctl/sandbox.h"

/* When it ends. */
struct lifetime {
	uint64_t seconds; /* 0: not given */
	bool session;	  /* with us, too */
};

/* When it is stopped because nobody is in it. */
struct pause {
	bool given;
	uint64_t seconds; /* 0: never */
};

field_parser wish_pause;    /* struct pause: a duration, or 0 */
field_parser wish_lifetime; /* struct lifetime: a duration, or "session" */

struct wish {
	struct lifetime timeout;
	struct pause auto_stop;
	bool ephemeral;
	char network[FIELD_TEXT]; /* "": not given */
	char root[FIELD_TEXT];	  /* as it was typed; "": not given */
	struct label_list labels;
	char domain[FIELD_TEXT];
};

/* Their rows; at: the offset of a struct wish. */
#define WISH_AT(at, m) ((at) + offsetof(struct wish, m))
#define WISH_TIMEOUT_HELP "remove it after so long, or session: when this ends"
#define WISH_PAUSE_HELP "stop it after so long without a session; 0: never"
#define WISH_OPTIONS(at)                                                       \
	{ 0, "DURATION",                                                       \
		{ "timeout", wish_lifetime, WISH_AT(at, timeout), 1,           \
		    LIMITS_LIFE_MAX, NULL, WISH_TIMEOUT_HELP, NULL } },        \
	    { 0, "DURATION",                                                   \
		    { "auto-stop", wish_pause, WISH_AT(at, auto_stop), 0,      \
			LIMITS_LIFE_MAX, NULL, WISH_PAUSE_HELP, NULL } },      \
	    { 0, NULL,                                                         \
		    { "ephemeral", field_bool, WISH_AT(at, ephemeral), 0, 0,   \
			NULL, "a stop leaves nothing of its files", NULL } },  \
	    { 0, "none|full|allow=FILE",                                       \
		    { "network", field_text, WISH_AT(at, network), 0, 0, NULL, \
			"what it may connect to; none without it", NULL } },   \
	    { 0, "DIR|TAR",                                                    \
		    { "root", field_text, WISH_AT(at, root), 0, 0, NULL,       \
			"what is in it, instead of the host's /usr", NULL } }, \
	    { 0, "KEY=VALUE",                                                  \
		    { "label", field_label, WISH_AT(at, labels), 0, LABEL_MAX, \
			NULL, "mark it, may be repeated", NULL } },            \
	    CTL_DOMAIN_OPTION(WISH_AT(at, domain))

/* A sandbox that was just made. */
struct made {
	struct json_object *object; /* as the broker tells it; to be freed */
	struct sandbox sandbox;
	struct alias alias; /* what ssh calls it; text "": nothing */
	/* As long as this is open the sandbox is there; NULL: or longer. */
	struct http_stream *stream;
};

/*
 * Make one, at the broker that name, an operand (ctl_check_name), or domain
 * stands for; NULL: the broker chooses an id.  A wait is shown.
 */
enum sbx_err wish_create(struct broker *broker, const char *name,
    const struct wish *wish, struct made *ret, struct sbx_why *why) MUST_USE;
void made_free(struct made *made);
#define cleanup_made __attribute__((cleanup(made_free)))

#endif
