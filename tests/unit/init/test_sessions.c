/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/sessions.h"
#include "tests/unit/cases.h"

#define ACCEPTED "Accepted publickey for sandbox from UNKNOWN port 65535 ssh2: "
#define CERT ACCEPTED "ED25519-CERT SHA256:x ID "

struct row {
	const char *name;
	const char *said; /* by sshd */
	const char *told; /* of the session; "": nobody is there */
};

static const struct row rows[] = {
	{ "nothing yet", "", "" },
	{ "a certificate",
	    CERT "alice/run-1/00ab (serial 171) CA ED25519 SHA256:y\r\n",
	    "session 5 - 171 - - alice/run-1/00ab\n" },
	{ "lines before and after",
	    "Failed publickey\r\n" CERT "a (serial 1) CA\r\nPostponed\r\n",
	    "session 5 - 1 - - a\n" },
	{ "a plain key", ACCEPTED "ED25519 SHA256:x\r\n",
	    "session 5 - - - - -\n" },
	{ "half a line", ACCEPTED "ED25519 SHA256:x", "" },
	{ "only the first counts",
	    CERT "a (serial 1) CA\r\n" CERT "b (serial 2) CA\r\n",
	    "session 5 - 1 - - a\n" },
	{ "a key id with everything in it",
	    CERT "a\tb  ID c (serial 9) d\x1b[m (serial 3) CA ED25519\r\n",
	    "session 5 - 3 - - a?b??ID?c?(serial?9)?d?[m\n" },
	{ "not at the start of a line",
	    "Invalid user " CERT "a (serial 1) CA\r\n", "" },
	{ "no serial", CERT "a CA ED25519\r\n", "session 5 - - - - -\n" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	static struct sessions sessions;
	struct pollfd p[SESSIONS_MAX];
	int log[2], peer[2], answer[2];
	char got[1024], want[1024];
	ssize_t n;

	assert_int_equal(pipe2(log, O_NONBLOCK), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, peer), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, answer), 0);
	sessions_begin(&sessions, 100);
	/* No process has this number. */
	sessions_add(&sessions, 1 << 30, log[0], peer[0], 110);
	n = (ssize_t)strlen(row->said);
	assert_int_equal(write(log[1], row->said, (size_t)n), n);
	(void)close(log[1]);
	for (int i = 0; i < 2; i++) {
		sessions_poll(&sessions, p);
		if (sessions.of[0].log >= 0)
			assert_int_equal(poll(p, 1, 1000), 1);
		sessions_hear(&sessions, p, 1);
	}
	assert_int_equal(sessions.of[0].log, -1);
	sessions_tell(&sessions, answer[0], 115);
	n = read(answer[1], got, sizeof(got) - 1);
	assert_true(n > 0);
	got[n] = '\0';
	(void)snprintf(want, sizeof(want), "idle %d\n%s",
	    *row->told == '\0' ? 15 : 0, row->told);
	/* Two messages, and one read may have had the first alone. */
	if (strcmp(got, want) != 0 && strlen(got) < strlen(want)) {
		n += read(answer[1], got + n, sizeof(got) - 1 - (size_t)n);
		got[n] = '\0';
	}
	assert_string_equal(got, want);
	/* From now on nobody is there, if somebody was. */
	sessions_forget(&sessions, 1 << 30, 120);
	assert_int_equal(sessions.count, 0);
	assert_int_equal(sessions.idle_since, *row->told == '\0' ? 100 : 120);
	for (int i = 0; i < 2; i++) {
		(void)close(peer[i]);
		(void)close(answer[i]);
	}
}

/* What came last is heard, though the process has ended. */
static void
test_short(void **state)
{
	static const char said[] = CERT "a (serial 1) CA\r\n";
	static struct sessions sessions;
	int log[2];

	(void)state;
	assert_int_equal(pipe2(log, O_NONBLOCK), 0);
	sessions_begin(&sessions, 100);
	sessions_add(&sessions, 1 << 30, log[0], -1, 110);
	assert_int_equal(write(log[1], said, strlen(said)), strlen(said));
	sessions_forget(&sessions, 1 << 30, 120);
	assert_int_equal(sessions.idle_since, 120);
	(void)close(log[1]);
}

/* One goes, others stay. */
static void
test_several(void **state)
{
	static const char said[] = CERT "a (serial 1) CA\r\n";
	static struct sessions sessions;
	struct pollfd p[SESSIONS_MAX];
	int log[3][2];

	(void)state;
	sessions_begin(&sessions, 100);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pipe2(log[i], O_NONBLOCK), 0);
		assert_int_equal(
		    write(log[i][1], said, strlen(said)), strlen(said));
		sessions_add(&sessions, (1 << 30) + i, log[i][0], -1, 110);
	}
	sessions_poll(&sessions, p);
	assert_int_equal(poll(p, 3, 1000), 3);
	sessions_hear(&sessions, p, 3);
	sessions_forget(&sessions, (1 << 30) + 1, 120);
	sessions_forget(&sessions, 1 << 30, 130);
	assert_int_equal(sessions.count, 1);
	assert_int_equal(sessions.of[0].pid, (1 << 30) + 2);
	assert_int_equal(sessions.idle_since, 100);
	sessions_forget(&sessions, (1 << 30) + 2, 140);
	assert_int_equal(sessions.idle_since, 140);
	for (int i = 0; i < 3; i++)
		(void)close(log[i][1]);
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(test_short);
	CASE(test_several);
	return cases_run("sessions");
}
