/* SPDX-License-Identifier: ISC */
/*
 * One check of the doctor's, and what they share.
 */
#ifndef SBX_DOCTOR_CHECK_H
#define SBX_DOCTOR_CHECK_H

#include "proxycmd/doctor/doctor.h"

#define DOCTOR_TEXT 512

enum doctor_level {
	DOCTOR_NONE, /* does not apply: no line */
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL,
};

struct finding {
	enum doctor_level level;
	char text[DOCTOR_TEXT]; /* what was seen */
	char cure[DOCTOR_TEXT]; /* what to do; "" if nothing */
	bool more;		/* look again: there may be others */
};

struct doctor {
	const struct doctor_request *request;
	const char *host;   /* what ssh is asked about */
	const char *name;   /* and what that is by its HostName: the alias */
	size_t round;	    /* how often this check was run before */
	bool ssh_is_ours;   /* ssh would run sandbox-proxy for it */
	bool is_shadowed;   /* other lines keep it out, as was said */
	bool is_mute;	    /* its IdentityAgent does not answer, as was said */
	bool healed;	    /* hosts.conf was damaged */
	struct buf *config; /* ssh -vvv -G */
	struct buf *sources; /* source.h: the lines behind that */
	struct buf *health;  /* what sandbox-resolve health said */
	bool has_session;
	struct session session;
	struct buf *login; /* ssh -v */
	int login_status;
	uint64_t login_ms;
	bool is_reached; /* it speaks SSH, and with the right key if any */
};

/* Looks at one thing; may leave something for those that come later. */
typedef void doctor_check(struct doctor *doctor, struct finding *ret);

/* proxycmd/doctor/ssh.c */
doctor_check doctor_openssh;
/* proxycmd/doctor/snippet.c */
doctor_check doctor_snippet, doctor_domain;
/* proxycmd/doctor/login.c: one login, looked at three times */
doctor_check doctor_endpoint, doctor_host_key, doctor_login;
/* proxycmd/doctor/shell.c */
doctor_check doctor_shell;
/* proxycmd/doctor/broker.c */
doctor_check doctor_config, doctor_file, doctor_token, doctor_broker,
    doctor_other_broker, doctor_access, doctor_clock, doctor_gate,
    doctor_platform;
/* proxycmd/doctor/cache.c */
doctor_check doctor_cache, doctor_certificate, doctor_key;

/* Set all of *ret. */
void doctor_say(struct finding *ret, enum doctor_level level, const char *cure,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* What to do about a line that counts before ours. */
const char *doctor_cure(const struct doctor *doctor);
/* Run ssh with the configuration that is judged, and capture what it says. */
enum sbx_err doctor_ssh(const struct doctor *doctor, const char *const before[],
    const char *host, const char *const after[], unsigned milliseconds,
    struct buf *ret, int *ret_status) MUST_USE;
/* What "ssh -G" says of host; loud: and, before that, how it got there. */
enum sbx_err doctor_ask_config(const struct doctor *doctor, const char *host,
    bool loud, struct buf *ret) MUST_USE;
/*
 * Has some line "key value" of it that part, in which "%s" stands for host?
 * The part is all of the value if it starts with a blank; "" means that there
 * is no such line.
 */
bool doctor_has(const struct buf *config, const char *key, const char *part,
    const char *host) MUST_USE;
/* Is such an option as it may be?  If not, *ret says so. */
typedef bool doctor_option(struct doctor *doctor, struct finding *ret);
/* proxycmd/doctor/options.c */
#define DOCTOR_OPTIONS 5
extern doctor_option *const doctor_options[DOCTOR_OPTIONS];
/*
 * The rest of the first line in text that starts with key, cut at its end;
 * false if there is none.
 */
bool doctor_find(
    const struct buf *text, const char *key, size_t size, char *ret) MUST_USE;
/* The same for the nth such line; they are counted from 0. */
bool doctor_find_nth(const struct buf *text, const char *key, size_t n,
    size_t size, char *ret) MUST_USE;

#endif
