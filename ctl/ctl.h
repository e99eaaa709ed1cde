/*
 * What the verbs of sandboxctl share.  Each verb is one file with one
 * function ctl_VERB(argc, argv), argv[0] being the verb, that returns the
 * exit status; verbs.c lists them.
 */
#ifndef SBX_CTL_H
#define SBX_CTL_H

#include "common/opt.h"
#include "net/client.h"

/* The options that stand before the verb. */
struct ctl_globals {
	char config[FIELD_TEXT]; /* "": the usual files */
};

extern struct ctl_globals ctl_globals;

extern const struct command ctl_commands[];
extern const size_t ctl_command_count;

int ctl_create(int argc, char **argv);
int ctl_list(int argc, char **argv);
int ctl_show(int argc, char **argv);
int ctl_ssh(int argc, char **argv);
int ctl_start(int argc, char **argv);
int ctl_stop(int argc, char **argv);
int ctl_kill(int argc, char **argv);

/* A connection to the broker, and what a verb asks it with. */
struct broker {
	struct paths paths;
	struct client client;
};

/* paths and client; close it with ctl_close. */
enum sbx_err ctl_open(struct broker *ret, struct sbx_why *why) MUST_USE;
void ctl_close(struct broker *broker);

/*
 * The verb's options and its one operand, a sandbox id, checked.  OPT_RUN,
 * or what opt_parse said, the message being printed.
 */
enum opt_result ctl_one_id(const struct usage *usage, int argc, char **argv,
    void *values, const char **ret_id) MUST_USE;
/* The exit status after anything but OPT_RUN. */
int ctl_status(enum opt_result result);

/*
 * One call about one sandbox: method /v1/sandboxes/ID + tail.  *ret may
 * become NULL; the caller frees it.
 */
enum sbx_err ctl_call(struct client *client, const char *method, const char *id,
    const char *tail, struct json_object **ret, struct sbx_why *why) MUST_USE;

void ctl_free_object(struct json_object **object);
#define cleanup_object __attribute__((cleanup(ctl_free_object)))
#define cleanup_broker __attribute__((cleanup(ctl_close)))

/* Broken standard output is an error too: 0, or the exit status. */
int ctl_flush(void);

#endif
