/* SPDX-License-Identifier: ISC */
/*
 * What the verbs of sandboxctl share.  Each verb is one file with one
 * function ctl_VERB(argc, argv), argv[0] being the verb, that returns the
 * exit status; verbs.c lists them.
 */
#ifndef SBX_CTL_H
#define SBX_CTL_H

#include "common/opt.h"
#include "net/client.h"
#include "net/wait_line.h"

/* The options that stand before the verb. */
struct ctl_globals {
	char config[FIELD_TEXT]; /* "": the usual files */
};

extern struct ctl_globals ctl_globals;

extern const struct command ctl_commands[];
extern const size_t ctl_command_count;

int ctl_create(int argc, char **argv);
int ctl_run(int argc, char **argv);
int ctl_list(int argc, char **argv);
int ctl_show(int argc, char **argv);
int ctl_ssh(int argc, char **argv);
int ctl_exec(int argc, char **argv);
int ctl_cp(int argc, char **argv);
int ctl_edit(int argc, char **argv);
int ctl_start(int argc, char **argv);
int ctl_stop(int argc, char **argv);
int ctl_extend(int argc, char **argv);
int ctl_kill(int argc, char **argv);
int ctl_share(int argc, char **argv);
int ctl_unshare(int argc, char **argv);
int ctl_events(int argc, char **argv);

/* A connection to the broker, and what a verb asks it with. */
struct broker {
	struct paths paths;
	struct client client;
	struct alias alias; /* of ctl_open_name */
	struct wait_line line;
};

#define BROKER_INIT                                            \
	{                                                      \
		.client = { .token = "" }, .line = {.fd = -1 } \
	}

/* The broker of a domain, "" being [broker]'s; close it with ctl_close. */
enum sbx_err
ctl_open(struct broker *ret, const char *domain, struct sbx_why *why) MUST_USE;
/*
 * The broker of the sandbox that name, an operand (ctl_one_name), stands for,
 * and its alias.  An id is in domain; a name in full says itself in which it
 * is, and that must be domain unless that is "".
 */
enum sbx_err ctl_open_name(struct broker *ret, const char *name,
    const char *domain, struct sbx_why *why) MUST_USE;
/* The same for a sandbox that there is: its provider is as the name says. */
enum sbx_err ctl_open_sandbox(
    struct broker *ret, const char *name, struct sbx_why *why) MUST_USE;
void ctl_close(struct broker *broker);

/*
 * An id as it is, or in a name that ssh takes.  Which domains there are is
 * for ctl_open_name to know.
 */
enum sbx_err ctl_check_name(const char *name, struct sbx_why *why) MUST_USE;
/*
 * The verb's options and its one operand, a name, checked.  OPT_RUN, or what
 * opt_parse said, the message being printed.
 */
enum opt_result ctl_one_name(const struct usage *usage, int argc, char **argv,
    void *values, const char **ret_name) MUST_USE;
/*
 * Tell of a failure; its exit status.  Values come from the command line alone:
 * one that the broker calls bad is wrong usage.
 */
int ctl_failure(enum sbx_err err, const struct sbx_why *why);

/*
 * Until ctl_wait_end, calls that take long are seen on a terminal, in the
 * words doing ("starting") and what ("run-1234"), and whoever is tired of
 * waiting is told that the broker goes on.
 */
void ctl_wait_begin(struct broker *broker, const char *doing, const char *what);
void ctl_wait_end(struct broker *broker);

/*
 * One call about the sandbox of ctl_open_name: method /v1/sandboxes/ID + tail.
 * body may be NULL, and *ret may become it; the caller frees both.
 */
enum sbx_err ctl_call(struct broker *broker, const char *method,
    const char *tail, struct json_object *body, struct json_object **ret,
    struct sbx_why *why) MUST_USE;

void ctl_free_object(struct json_object **object);
#define cleanup_object __attribute__((cleanup(ctl_free_object)))
#define cleanup_broker __attribute__((cleanup(ctl_close)))

/* The row of verbs that name no sandbox; char[FIELD_TEXT] at offset. */
#define CTL_DOMAIN_OPTION(offset)                                   \
	{                                                           \
		0, "NAME",                                          \
		{                                                   \
			"domain", field_text, (offset), 0, 0, NULL, \
			    "at the broker of this [domain]", NULL  \
		}                                                   \
	}

#endif
