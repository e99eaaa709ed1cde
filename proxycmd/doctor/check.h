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
	size_t round;	    /* how often this check was run before */
	bool ssh_is_ours;   /* ssh would run sandbox-proxy for it */
	struct buf *health; /* what sandbox-resolve health said */
	bool has_session;
	struct session session;
	struct buf *handshake; /* ssh -v, up to the host key */
	uint64_t handshake_ms;
};

/* Looks at one thing; may leave something for those that come later. */
typedef void doctor_check(struct doctor *doctor, struct finding *ret);

/* proxycmd/doctor/ssh.c */
doctor_check doctor_openssh, doctor_snippet, doctor_domain, doctor_endpoint,
    doctor_host_key;
/* proxycmd/doctor/broker.c */
doctor_check doctor_config, doctor_file, doctor_token, doctor_broker,
    doctor_access, doctor_clock, doctor_gate;
/* proxycmd/doctor/cache.c */
doctor_check doctor_cache, doctor_certificate, doctor_key;

/* Set all of *ret. */
void doctor_say(struct finding *ret, enum doctor_level level, const char *cure,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
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
