/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/text.h"

#define CONTROL "control"
#define ANSWER_MS 5000
#define ANSWER_MAX 65536

/* By way of the open folder: its own path may be too long for a socket's. */
static int
make_socket(const struct box *box, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path),
	    "/proc/self/fd/%d/" CONTROL, box->dir);
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

enum sbx_err
control_bind(const struct box *box, int *ret, struct sbx_why *why)
{
	struct sockaddr_un address;
	cleanup_close int fd = make_socket(box, &address);

	(void)unlinkat(box->dir, CONTROL, 0); /* of an earlier start */
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return sbx_fail(why, SBX_IO,
		    "cannot make the sandbox's control socket: %s",
		    strerror(errno));
	*ret = steal_fd(&fd);
	return SBX_OK;
}

/* The message, and up to two descriptors. */
static bool
send_message(
    const struct box *box, const char *text, const int *fds, size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = { .room = "" };
	struct sockaddr_un address;
	cleanup_close int fd = make_socket(box, &address);
	struct iovec bytes = { (void *)text, strlen(text) };
	struct msghdr message = { .msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &bytes,
		.msg_iovlen = 1 };

	if (fd < 0)
		return false;
	if (count > 0) {
		message.msg_control = control.room;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)bytes.iov_len;
}

/* Until the other end is closed; false when it takes too long, or too much. */
static bool
hear(int fd, struct buf *ret)
{
	char piece[4096];
	ssize_t n = 1;

	while (n != 0 && buf_error(ret) == SBX_OK) {
		struct pollfd p = { fd, POLLIN, 0 };
		int ready = poll(&p, 1, ANSWER_MS);

		if (ready == 0)
			return false;
		n = ready < 0 ? -1 : read(fd, piece, sizeof(piece));
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			buf_put(ret, piece, (size_t)n);
	}
	return buf_error(ret) == SBX_OK;
}

static enum sbx_err
make_pair(int *ret_ours, int *ret_theirs, struct sbx_why *why)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a socket: %s", strerror(errno));
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return SBX_OK;
}

enum sbx_err
control_replace_listener(
    const struct box *box, int listener, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(16);
	cleanup_close int ours = -1, theirs = -1;
	enum sbx_err err = make_pair(&ours, &theirs, why);

	if (err != SBX_OK)
		return err;
	if (!send_message(box, "L", (const int[]){ listener, theirs }, 2))
		return sbx_fail(why, SBX_STATE,
		    "the socket of sandbox %s was removed while it runs, and "
		    "it takes no other (%s): stop it and start it",
		    box->id, strerror(errno));
	(void)close(steal_fd(&theirs));
	if (hear(ours, &answer) && answer.len == 1)
		return SBX_OK;
	return sbx_fail(why, SBX_TIMEOUT,
	    "sandbox %s does not take a new socket: stop it and start it",
	    box->id);
}

/* Printable ASCII, which goes on as JSON; "-": nothing is known. */
static bool
take_word(struct view *line, char *ret, size_t size)
{
	struct view word;

	if (!text_next_word(line, &word) ||
	    text_copy(word, ret, size) != SBX_OK)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] <= 0x20 || word.p[i] >= 0x7f)
			return false;
	}
	if (strcmp(ret, "-") == 0)
		*ret = '\0';
	return true;
}

static bool
take_number(struct view *line, uint64_t unknown, uint64_t *ret)
{
	char text[24];

	if (!take_word(line, text, sizeof(text)))
		return false;
	*ret = unknown;
	return *text == '\0' || text_uint(text, 0, UINT64_MAX, ret) == SBX_OK;
}

static bool
parse_session(struct view line, struct provider_session *ret)
{
	return take_number(&line, 0, &ret->age) && ret->age <= INT64_MAX &&
	    take_number(&line, PROVIDER_UNKNOWN, &ret->idle) &&
	    take_number(&line, 0, &ret->serial) &&
	    take_word(&line, ret->terminals, sizeof(ret->terminals)) &&
	    take_word(&line, ret->from, sizeof(ret->from)) &&
	    take_word(&line, ret->key_id, sizeof(ret->key_id));
}

void
control_parse_sessions(struct view text, struct provider_sessions *ret)
{
	struct view line, word;

	ret->known = false;
	ret->idle = 0;
	ret->count = 0;
	while (text_next_line(&text, &line)) {
		if (!text_next_word(&line, &word))
			continue;
		if (view_eq_str(word, "idle"))
			ret->known = take_number(&line, 0, &ret->idle) &&
			    ret->idle <= INT64_MAX;
		else if (view_eq_str(word, "session") &&
		    ret->count < PROVIDER_SESSIONS &&
		    parse_session(line, &ret->of[ret->count]))
			ret->count++;
	}
}

enum sbx_err
control_sessions(
    const struct box *box, struct provider_sessions *ret, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(ANSWER_MAX);
	cleanup_close int ours = -1, theirs = -1;
	enum sbx_err err = make_pair(&ours, &theirs, why);

	if (err != SBX_OK)
		return err;
	if (!send_message(box, "S", &theirs, 1))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "sandbox %s does not take a message: %s", box->id,
		    strerror(errno));
	(void)close(steal_fd(&theirs));
	if (!hear(ours, &answer))
		return sbx_fail(why, SBX_TIMEOUT,
		    "sandbox %s does not say who is there", box->id);
	control_parse_sessions(buf_view(&answer), ret);
	return SBX_OK;
}

enum sbx_err
control_tell(const struct box *box, const char *text, struct sbx_why *why)
{
	cleanup_buf struct buf message = BUF_INIT(PROVIDER_TEXT + 1);

	buf_printf(&message, "W%s", text);
	if (buf_error(&message) == SBX_OK &&
	    send_message(box, buf_text(&message), NULL, 0))
		return SBX_OK;
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "sandbox %s does not take a message: %s", box->id, strerror(errno));
}
