/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "proxycmd/dial/handoff.h"

/* What ssh does with ProxyUseFdpass. */
static int
receive_fd(int from)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *rights;
	int fd;

	assert_int_equal(recvmsg(from, &msg, 0), 1);
	rights = CMSG_FIRSTHDR(&msg);
	assert_non_null(rights);
	assert_int_equal(rights->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
	return fd;
}

static void
test_descriptor_arrives(void **state)
{
	int ssh[2], conn[2], got;
	char text[3] = "";
	bool possible = false;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ssh), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, conn), 0);
	assert_int_equal(handoff_check(ssh[0], &possible, NULL), SBX_OK);
	assert_true(possible);
	assert_int_equal(handoff_send(ssh[0], conn[0], NULL), SBX_OK);
	got = receive_fd(ssh[1]);
	(void)close(conn[0]);
	assert_int_equal(write(conn[1], "hi", 2), 2);
	assert_int_equal(read(got, text, 2), 2);
	assert_string_equal(text, "hi");
	(void)close(got);
	(void)close(conn[1]);
	(void)close(ssh[0]);
	(void)close(ssh[1]);
}

static void
test_pipe_takes_none(void **state)
{
	bool possible = true;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(handoff_check(ends[1], &possible, NULL), SBX_OK);
	assert_false(possible);
	assert_int_equal(handoff_send(ends[1], ends[0], NULL), SBX_IO);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
test_others_are_refused(void **state)
{
	struct sbx_why why = { "" };
	int null = open("/dev/null", O_WRONLY);
	bool possible;

	(void)state;
	assert_true(null >= 0);
	assert_int_equal(handoff_check(null, &possible, &why), SBX_USAGE);
	assert_non_null(strstr(why.text, "ProxyUseFdpass"));
	(void)close(null);
	assert_int_equal(handoff_check(null, &possible, &why), SBX_USAGE);
}

static void
test_ssh_is_gone(void **state)
{
	int ssh[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ssh), 0);
	(void)close(ssh[1]);
	assert_int_equal(handoff_look(ssh[0]), HANDOFF_GONE);
	assert_int_equal(handoff_send(ssh[0], ssh[0], NULL), SBX_UNAVAILABLE);
	(void)close(ssh[0]);
}

/* What a shell printed before us, with ssh as it comes to it. */
static void
test_text_comes_first(void **state)
{
	int ssh[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ssh), 0);
	assert_int_equal(handoff_look(ssh[0]), HANDOFF_READY);
	assert_int_equal(write(ssh[0], "hi", 2), 2);
	assert_int_equal(handoff_look(ssh[0]), HANDOFF_BLIND);
	assert_int_equal(read(ssh[1], &byte, 1), 1);
	assert_int_equal(handoff_look(ssh[0]), HANDOFF_BLIND);
	(void)close(ssh[1]);
	assert_int_equal(handoff_look(ssh[0]), HANDOFF_GONE);
	(void)close(ssh[0]);
	/* It wrote something itself, which is left where it is. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ssh), 0);
	assert_int_equal(write(ssh[1], "x", 1), 1);
	assert_int_equal(handoff_look(ssh[0]), HANDOFF_READY);
	assert_int_equal(read(ssh[0], &byte, 1), 1);
	(void)close(ssh[0]);
	(void)close(ssh[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptor_arrives),
		cmocka_unit_test(test_pipe_takes_none),
		cmocka_unit_test(test_others_are_refused),
		cmocka_unit_test(test_ssh_is_gone),
		cmocka_unit_test(test_text_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
