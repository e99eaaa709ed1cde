/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/helper/helper.h"
#include "common/cleanup.h"

#define CALLERS 16
#define CALLS 25

static int caller_fd;
static pid_t helper_pid;

/* The request's first letter says what to do. */
static enum sbx_err
job(void *context, struct view request, struct buf *answer, int *ret_fd,
    struct sbx_why *why)
{
	switch (request.p[0]) {
	case 'e': /* echo */
		buf_put_view(answer, request);
		return SBX_OK;
	case 'a': /* a descriptor along with the answer */
		*ret_fd = dup(STDERR_FILENO);
		return SBX_OK;
	case 'f':
		return sbx_fail(why, SBX_STATE, "not today");
	case 'd':
		_exit(3);
	case 'h': /* hang, until the test ends it */
		for (;;)
			(void)pause();
	case 'l':
		buf_put(answer, context, HELPER_MESSAGE_MAX);
		return SBX_OK;
	case 'p': {
		pid_t pid = getpid();

		buf_put(answer, &pid, sizeof(pid));
		return SBX_OK;
	}
	default:
		return SBX_BAD_VALUE;
	}
}

static int
start(enum helper_mode mode)
{
	static uint8_t large[HELPER_MESSAGE_MAX];
	int helper_fd;

	if (helper_pair(&caller_fd, &helper_fd, NULL) != SBX_OK)
		return -1;
	helper_pid = fork();
	if (helper_pid == 0) {
		(void)close(caller_fd);
		_exit(helper_serve(helper_fd, mode, job, large) == SBX_OK ? 0
									  : 1);
	}
	(void)close(helper_fd);
	return helper_pid < 0 ? -1 : 0;
}

static int
start_in_turn(void **state)
{
	(void)state;
	return start(HELPER_IN_TURN);
}

static int
start_forking(void **state)
{
	(void)state;
	return start(HELPER_FORKING);
}

/* Ends by itself when nobody can call it any more. */
static int
end(void **state)
{
	int status;

	(void)state;
	(void)close(caller_fd);
	if (waitpid(helper_pid, &status, 0) != helper_pid)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int
end_by_force(void **state)
{
	(void)state;
	(void)close(caller_fd);
	(void)kill(helper_pid, SIGKILL);
	return waitpid(helper_pid, NULL, 0) == helper_pid ? 0 : -1;
}

static enum sbx_err
call(
    const char *text, unsigned timeout, struct buf *answer, struct sbx_why *why)
{
	return helper_call(
	    caller_fd, VIEW_STR(text), timeout, answer, NULL, why);
}

static void
test_answer(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);

	(void)state;
	assert_int_equal(call("echo this", 60, &answer, NULL), SBX_OK);
	assert_string_equal(buf_text(&answer), "echo this");
}

/* The answer's descriptor, or none; one that nobody asked for is closed. */
static void
test_descriptor(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);
	struct stat one, other;
	int fd = 0, next;

	(void)state;
	assert_int_equal(
	    helper_call(caller_fd, VIEW_STR("a"), 60, &answer, &fd, NULL),
	    SBX_OK);
	assert_int_equal(fstat(fd, &one), 0);
	assert_int_equal(fstat(STDERR_FILENO, &other), 0);
	assert_true(one.st_dev == other.st_dev && one.st_ino == other.st_ino);
	next = dup(fd);
	(void)close(next);
	assert_int_equal(call("a", 60, &answer, NULL), SBX_OK);
	assert_int_equal(dup(fd), next);
	(void)close(next);
	(void)close(fd);
	assert_int_equal(
	    helper_call(caller_fd, VIEW_STR("e"), 60, &answer, &fd, NULL),
	    SBX_OK);
	assert_int_equal(fd, -1);
}

static void
test_failure_and_why(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);
	struct sbx_why why = { "" };

	(void)state;
	assert_int_equal(call("fail", 60, &answer, &why), SBX_STATE);
	assert_string_equal(why.text, "not today");
	assert_int_equal(answer.len, 0);
}

static void
test_answer_too_large(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(2 * HELPER_MESSAGE_MAX);

	(void)state;
	assert_int_equal(call("large", 60, &answer, NULL), SBX_TOO_LARGE);
}

static void
test_request_too_large(void **state)
{
	static uint8_t large[HELPER_MESSAGE_MAX + 1];
	cleanup_buf struct buf answer = BUF_INIT(100);

	(void)state;
	assert_int_equal(helper_call(caller_fd, VIEW(large, sizeof(large)), 60,
			     &answer, NULL, NULL),
	    SBX_TOO_LARGE);
	assert_int_equal(
	    helper_call(caller_fd, VIEW(large, 0), 60, &answer, NULL, NULL),
	    SBX_TOO_LARGE);
}

static void
test_noise_is_dropped(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);

	(void)state;
	assert_int_equal(send(caller_fd, "", 0, 0), 0);
	assert_int_equal(send(caller_fd, "echo", 4, 0), 4);
	assert_int_equal(call("echo", 60, &answer, NULL), SBX_OK);
}

static int
named_socket(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	/* Abstract: the name begins with a NUL. */
	(void)snprintf(
	    address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Send a request that wants its answer in fd. */
static void
ask_for_answer_in(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = { .bytes = "" };
	struct iovec iov = { (void *)(uintptr_t) "echo", 4 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ancillary.bytes,
		.msg_controllen = sizeof(ancillary.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(sendmsg(caller_fd, &msg, 0), 4);
}

/* Whoever reads from the other end must not take us for somebody. */
static void
test_answers_go_to_pairs_only(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);
	struct sockaddr_un address;
	socklen_t len = sizeof(address);
	char name[64], byte;
	int stream[2], listener, ours, theirs;

	(void)state;
	(void)snprintf(name, sizeof(name), "test_broker_helper.%d", getpid());
	listener = named_socket(name);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &len), 0);
	ours = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(connect(ours, (struct sockaddr *)&address, len), 0);
	theirs = accept(listener, NULL, NULL);
	assert_true(theirs >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, stream), 0);
	ask_for_answer_in(ours);
	ask_for_answer_in(theirs);
	ask_for_answer_in(stream[0]);
	ask_for_answer_in(STDERR_FILENO);
	/* Requests are served in turn: the others have been looked at. */
	assert_int_equal(call("echo", 60, &answer, NULL), SBX_OK);
	assert_int_equal(recv(theirs, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(ours, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(stream[1], &byte, 1, MSG_DONTWAIT), -1);
	(void)close(theirs);
	(void)close(ours);
	(void)close(listener);
	(void)close(stream[0]);
	(void)close(stream[1]);
}

static void
test_timeout(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);

	(void)state;
	assert_int_equal(call("hang", 1, &answer, NULL), SBX_TIMEOUT);
}

static void
test_dead_helper(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);

	(void)state;
	assert_int_equal(call("die", 60, &answer, NULL), SBX_UNAVAILABLE);
	assert_int_equal(call("echo", 60, &answer, NULL), SBX_UNAVAILABLE);
}

static void
test_dead_child(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);

	(void)state;
	assert_int_equal(call("die", 60, &answer, NULL), SBX_UNAVAILABLE);
	assert_int_equal(call("echo", 60, &answer, NULL), SBX_OK);
}

static void
test_child_of_its_own(void **state)
{
	cleanup_buf struct buf answer = BUF_INIT(100);
	pid_t pid;

	(void)state;
	assert_int_equal(call("pid", 60, &answer, NULL), SBX_OK);
	assert_int_equal(answer.len, sizeof(pid));
	memcpy(&pid, answer.p, sizeof(pid));
	assert_true(pid != helper_pid && pid != getpid());
}

static void *
call_often(void *argument)
{
	for (int i = 0; i < CALLS; i++) {
		cleanup_buf struct buf answer = BUF_INIT(100);
		char text[32];

		(void)snprintf(text, sizeof(text), "echo %p %d", argument, i);
		if (call(text, 60, &answer, NULL) != SBX_OK ||
		    strcmp(buf_text(&answer), text) != 0)
			return argument;
	}
	return NULL;
}

static void
test_many_callers(void **state)
{
	pthread_t threads[CALLERS];
	char names[CALLERS];

	(void)state;
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, call_often, &names[i]),
		    0);
	for (int i = 0; i < CALLERS; i++) {
		void *failed = NULL;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

#define IN_TURN(test) cmocka_unit_test_setup_teardown(test, start_in_turn, end)
#define FORKING(test) cmocka_unit_test_setup_teardown(test, start_forking, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TURN(test_answer),
		IN_TURN(test_descriptor),
		IN_TURN(test_failure_and_why),
		IN_TURN(test_answer_too_large),
		IN_TURN(test_request_too_large),
		IN_TURN(test_noise_is_dropped),
		IN_TURN(test_answers_go_to_pairs_only),
		IN_TURN(test_many_callers),
		cmocka_unit_test_setup_teardown(
		    test_timeout, start_in_turn, end_by_force),
		cmocka_unit_test_setup_teardown(
		    test_dead_helper, start_in_turn, end_by_force),
		FORKING(test_answer),
		FORKING(test_failure_and_why),
		FORKING(test_noise_is_dropped),
		FORKING(test_dead_child),
		FORKING(test_child_of_its_own),
		FORKING(test_many_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
