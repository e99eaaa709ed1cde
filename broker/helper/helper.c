/* SPDX-License-Identifier: ISC */
#include "broker/helper/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Room for one descriptor beside a datagram. */
union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* One datagram with room for a descriptor. */
static struct msghdr
message_of(struct iovec *iov, union ancillary *ancillary)
{
	return (struct msghdr){ .msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = ancillary->bytes,
		.msg_controllen = sizeof(ancillary->bytes) };
}

static void
attach_descriptor(struct msghdr *msg, int fd)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
}

static uint64_t
clock_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum sbx_err
pair_of(int *ret_one, int *ret_other, struct sbx_why *why)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a socket: %s", strerror(errno));
	*ret_one = fds[0];
	*ret_other = fds[1];
	return SBX_OK;
}

enum sbx_err
helper_pair(int *ret_caller, int *ret_helper, struct sbx_why *why)
{
	return pair_of(ret_caller, ret_helper, why);
}

/*
 * Serving.
 */

enum received { RECEIVED_REQUEST, RECEIVED_NOISE, RECEIVED_END };

/* The descriptor that came along; others are closed. */
static int
take_descriptor(struct msghdr *msg)
{
	int found = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (found < 0)
				found = fd;
			else
				(void)close(fd);
		}
	}
	return found;
}

static bool
is_option(int fd, int option, int want)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 &&
	    value == want;
}

/*
 * One end of a pair made for the answer, as helper_call passes it: neither
 * end has a name.  Our word in any other socket could be taken for more than
 * an answer, since it may have our privileges.
 */
static bool
is_for_answers(int fd)
{
	struct sockaddr_un own, peer;
	socklen_t own_len = sizeof(own), peer_len = sizeof(peer);

	return is_option(fd, SO_DOMAIN, AF_UNIX) &&
	    is_option(fd, SO_TYPE, SOCK_SEQPACKET) &&
	    getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 &&
	    own_len == sizeof(sa_family_t) &&
	    getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
	    peer_len == sizeof(sa_family_t);
}

/* An empty datagram and the end of the connection look the same to recv. */
static bool
hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR)) != 0;
}

static enum received
receive(int fd, struct buf *request, int *ret_answer)
{
	union ancillary ancillary;
	uint8_t *room;
	struct iovec iov;
	struct msghdr msg = message_of(&iov, &ancillary);
	ssize_t n;

	buf_reset(request);
	room = buf_grow(request, HELPER_MESSAGE_MAX);
	if (room == NULL)
		return RECEIVED_END;
	iov = (struct iovec){ room, HELPER_MESSAGE_MAX };
	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? RECEIVED_NOISE : RECEIVED_END;
	*ret_answer = take_descriptor(&msg);
	request->len = (size_t)n;
	if (n == 0 && *ret_answer < 0 && hung_up(fd))
		return RECEIVED_END;
	if (n == 0 || *ret_answer < 0 || !is_for_answers(*ret_answer) ||
	    (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return RECEIVED_NOISE;
	return RECEIVED_REQUEST;
}

/* The caller may have gone away: then nobody misses the answer. */
static void
reply(int fd, enum sbx_err err, const struct sbx_why *why,
    const struct buf *body, int attached)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	union ancillary ancillary = { 0 };
	struct iovec iov;
	struct msghdr msg = message_of(&iov, &ancillary);

	buf_put_u32(&answer, (uint32_t)err);
	buf_put_cstring(&answer, why->text);
	if (err == SBX_OK)
		buf_put_view(&answer, buf_view(body));
	if (buf_error(&answer) != SBX_OK) {
		buf_reset(&answer);
		buf_put_u32(&answer, SBX_TOO_LARGE);
		buf_put_cstring(&answer, "the answer does not fit");
	}
	iov = (struct iovec){ answer.p, answer.len };
	if (attached >= 0)
		attach_descriptor(&msg, attached);
	else
		msg.msg_controllen = 0;
	(void)sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
work(int answer_fd, struct view request, helper_job *job, void *context)
{
	cleanup_buf struct buf body = BUF_INIT(HELPER_MESSAGE_MAX - 1024);
	cleanup_close int attached = -1;
	struct sbx_why why = { "" };
	enum sbx_err err = job(context, request, &body, &attached, &why);

	if (err == SBX_OK)
		err = buf_error(&body);
	reply(answer_fd, err, &why, &body, err == SBX_OK ? attached : -1);
}

/* A child may exec: it gets the signals as a fresh program has them. */
static void
default_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE,
		SIGCHLD };
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
work_in_child(int serve_fd, int answer_fd, struct view request, helper_job *job,
    void *context)
{
	struct sbx_why why = { "sandboxd cannot fork: too many processes" };
	pid_t pid = fork();

	if (pid < 0)
		reply(answer_fd, SBX_UNAVAILABLE, &why, NULL, -1);
	if (pid != 0)
		return;
	default_signals();
	(void)close(serve_fd);
	work(answer_fd, request, job, context);
	_exit(0);
}

enum sbx_err
helper_serve(int fd, enum helper_mode mode, helper_job *job, void *context)
{
	cleanup_buf struct buf request = BUF_INIT(HELPER_MESSAGE_MAX);

	/* Children are not waited for one by one; the kernel reaps them. */
	if (mode == HELPER_FORKING)
		(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		cleanup_close int answer_fd = -1;
		enum received got = receive(fd, &request, &answer_fd);

		if (got == RECEIVED_END)
			break;
		if (got == RECEIVED_NOISE)
			continue;
		if (mode == HELPER_FORKING)
			work_in_child(
			    fd, answer_fd, buf_view(&request), job, context);
		else
			work(answer_fd, buf_view(&request), job, context);
	}
	/* With SIGCHLD ignored this returns when the last child has ended. */
	if (mode == HELPER_FORKING) {
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
	}
	return SBX_OK;
}

/*
 * Calling.
 */

/* Wait for events on fd until the deadline; SBX_TIMEOUT. */
static enum sbx_err
await(int fd, short events, uint64_t deadline, struct sbx_why *why)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		uint64_t now = clock_ms();
		int n;

		if (now >= deadline)
			return sbx_fail(
			    why, SBX_TIMEOUT, "sandboxd's helper is too slow");
		n = poll(&p, 1, (int)(deadline - now));
		if (n > 0)
			return SBX_OK;
		if (n < 0 && errno != EINTR)
			return sbx_fail(
			    why, SBX_IO, "poll: %s", strerror(errno));
	}
}

static enum sbx_err
gone(struct sbx_why *why)
{
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "sandboxd's helper ended without an answer: see its log");
}

static enum sbx_err
send_request(int fd, struct view request, int answer_fd, uint64_t deadline,
    struct sbx_why *why)
{
	union ancillary ancillary = { 0 };
	struct iovec iov = { (void *)request.p, request.len };
	struct msghdr msg = message_of(&iov, &ancillary);

	attach_descriptor(&msg, answer_fd);
	for (;;) {
		enum sbx_err err = await(fd, POLLOUT, deadline, why);

		if (err != SBX_OK)
			return err;
		if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return SBX_OK;
		if (errno != EAGAIN && errno != EINTR)
			return gone(why);
	}
}

static enum sbx_err
take_answer(struct view bytes, struct buf *answer, struct sbx_why *why)
{
	struct wire w = wire_of(bytes);
	uint32_t code = wire_u32(&w);
	struct view text = wire_string(&w, SBX_WHY_MAX - 1);
	struct view body = wire_bytes(&w, w.left);

	if (wire_end(&w) != SBX_OK || code >= SBX_ERR_COUNT)
		return sbx_fail(
		    why, SBX_PROTOCOL, "sandboxd's helper answers nonsense");
	if (code != SBX_OK)
		return sbx_fail(why, (enum sbx_err)code, "%.*s", (int)text.len,
		    (const char *)text.p);
	buf_put_view(answer, body);
	return buf_error(answer);
}

/* What is there, in a buffer of its size; -1: nothing. */
static ssize_t
take_datagram(int fd, struct buf *ret, int *ret_fd)
{
	ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	union ancillary ancillary;
	struct iovec iov;
	struct msghdr msg = message_of(&iov, &ancillary);

	if (size <= 0)
		return -1;
	iov = (struct iovec){ buf_grow(ret, (size_t)size), (size_t)size };
	if (iov.iov_base == NULL)
		return -1;
	size = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (size > 0)
		*ret_fd = take_descriptor(&msg);
	return size;
}

enum sbx_err
helper_call(int fd, struct view request, unsigned timeout, struct buf *answer,
    int *ret_fd, struct sbx_why *why)
{
	cleanup_buf struct buf bytes = BUF_INIT(HELPER_MESSAGE_MAX);
	cleanup_close int mine = -1, theirs = -1, attached = -1;
	uint64_t deadline = clock_ms() + (uint64_t)timeout * 1000;
	enum sbx_err err;

	if (ret_fd != NULL)
		*ret_fd = -1;
	if (request.len == 0 || request.len > HELPER_MESSAGE_MAX)
		return sbx_fail(
		    why, SBX_TOO_LARGE, "request to a helper does not fit");
	err = pair_of(&mine, &theirs, why);
	if (err != SBX_OK)
		return err;
	err = send_request(fd, request, theirs, deadline, why);
	if (err != SBX_OK)
		return err;
	(void)close(steal_fd(&theirs)); /* else its end would go unnoticed */
	err = await(mine, POLLIN, deadline, why);
	if (err != SBX_OK)
		return err;
	if (take_datagram(mine, &bytes, &attached) <= 0)
		return gone(why);
	err = take_answer(buf_view(&bytes), answer, why);
	if (err == SBX_OK && ret_fd != NULL)
		*ret_fd = steal_fd(&attached);
	return err;
}
