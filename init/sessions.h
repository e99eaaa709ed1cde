/* SPDX-License-Identifier: ISC */
/*
 * Who is in the sandbox: of each connection that is served, what its sshd says
 * of the login on standard error, and which terminals it has.
 *
 * A connection counts once somebody has logged in by it, and until its sshd is
 * gone.  Whether there is still somebody at the other end is for sshd to find
 * out (ClientAliveInterval).
 */
#ifndef SBX_INIT_SESSIONS_H
#define SBX_INIT_SESSIONS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Further connections wait in the socket's backlog. */
#define SESSIONS_MAX 128

#define SESSION_LINE 1024
#define SESSION_KEY_ID 160
#define SESSION_FROM 64
#define SESSION_TTYS 128

struct session {
	pid_t pid; /* of the command that was started for the connection */
	int log;   /* its standard error; -1: nothing comes any more */
	int64_t since;
	bool entered;
	char serial[24];	     /* of the certificate, decimal; or "" */
	char key_id[SESSION_KEY_ID]; /* or "" */
	char from[SESSION_FROM];     /* numeric address; "": of this machine */
	size_t have;
	char line[SESSION_LINE]; /* begun */
};

struct sessions {
	struct session of[SESSIONS_MAX];
	size_t count;
	int64_t idle_since; /* while nobody is there */
};

/* Times are seconds of one clock that only goes forward. */
void sessions_begin(struct sessions *sessions, int64_t now);
/* There must be room.  log is ours from now on; peer is the connection. */
void sessions_add(
    struct sessions *sessions, pid_t pid, int log, int peer, int64_t now);
/* Its process has ended. */
void sessions_forget(struct sessions *sessions, pid_t pid, int64_t now);
/* What to wait for, one a session, in p[SESSIONS_MAX]; and what has come. */
void sessions_poll(const struct sessions *sessions, struct pollfd *p);
void
sessions_hear(struct sessions *sessions, const struct pollfd *p, size_t count);

/*
 * In lines, to a socket that takes them at once:
 *
 *   idle SECONDS           for so long nobody has been there; 0: somebody is
 *   session AGE IDLE SERIAL TTYS FROM KEY-ID
 *
 * each for who is there, "-" for what is not known; seconds are whole, IDLE
 * is that of its terminals, TTYS "pts/0,pts/1".
 */
void sessions_tell(const struct sessions *sessions, int fd, int64_t now);
/* The text on each terminal of each. */
void sessions_warn(const struct sessions *sessions, const char *text);

#endif
