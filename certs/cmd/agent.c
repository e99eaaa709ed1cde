/* SPDX-License-Identifier: ISC */
#include "certs/cmd/agent.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/text.h"

#define MESSAGE_FAILURE 5
#define MESSAGE_SIGN_REQUEST 13
#define MESSAGE_SIGN_RESPONSE 14

/* What to sign is far smaller than what agents take (256 KiB). */
#define REQUEST_MAX 65536

/* One conversation: a descriptor that never blocks, and when to give up. */
struct talk {
	int fd;
	uint64_t end; /* milliseconds of the monotonic clock */
	const struct agent *agent;
};

static uint64_t
clock_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum sbx_err
fail_errno(const struct talk *talk, const char *what, struct sbx_why *why)
{
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "cannot %s the ssh-agent at %s: %s", what, talk->agent->path,
	    strerror(errno));
}

static enum sbx_err
await(const struct talk *talk, short events, struct sbx_why *why)
{
	for (;;) {
		struct pollfd p = { .fd = talk->fd, .events = events };
		uint64_t now = clock_ms();
		int n;

		if (now >= talk->end)
			return sbx_fail(why, SBX_TIMEOUT,
			    "the ssh-agent at %s did not answer within %u s",
			    talk->agent->path, talk->agent->timeout);
		n = poll(&p, 1, (int)(talk->end - now));
		if (n > 0)
			return SBX_OK;
		if (n < 0 && errno != EINTR)
			return fail_errno(talk, "wait for", why);
	}
}

static enum sbx_err
dial(struct talk *talk, struct sbx_why *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (text_copy(VIEW_STR(talk->agent->path), address.sun_path,
		sizeof(address.sun_path)) != SBX_OK)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "the ssh-agent's path is too long: %.80s...",
		    talk->agent->path);
	talk->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (talk->fd < 0)
		return fail_errno(talk, "make a socket for", why);
	/* To a UNIX socket it is done, or it is not (EAGAIN: queue full). */
	if (connect(talk->fd, (const struct sockaddr *)&address,
		sizeof(address)) < 0)
		return fail_errno(talk, "connect to", why);
	return SBX_OK;
}

static enum sbx_err
send_all(const struct talk *talk, struct view bytes, struct sbx_why *why)
{
	while (bytes.len > 0) {
		enum sbx_err err = await(talk, POLLOUT, why);
		ssize_t n;

		if (err != SBX_OK)
			return err;
		n = send(talk->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail_errno(talk, "write to", why);
		if (n > 0)
			bytes = VIEW(bytes.p + n, bytes.len - (size_t)n);
	}
	return SBX_OK;
}

static enum sbx_err
receive_all(
    const struct talk *talk, uint8_t *ret, size_t left, struct sbx_why *why)
{
	while (left > 0) {
		enum sbx_err err = await(talk, POLLIN, why);
		ssize_t n;

		if (err != SBX_OK)
			return err;
		n = recv(talk->fd, ret, left, 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail_errno(talk, "read from", why);
		if (n == 0)
			return sbx_fail(why, SBX_PROTOCOL,
			    "the ssh-agent at %s hung up", talk->agent->path);
		if (n > 0) {
			ret += n;
			left -= (size_t)n;
		}
	}
	return SBX_OK;
}

static enum sbx_err
receive_answer(const struct talk *talk, struct buf *ret, struct sbx_why *why)
{
	uint8_t head[sizeof(uint32_t)];
	struct wire w = wire_of(VIEW(head, sizeof(head)));
	enum sbx_err err = receive_all(talk, head, sizeof(head), why);
	uint8_t *room;
	uint32_t len;

	if (err != SBX_OK)
		return err;
	len = wire_u32(&w);
	if (wire_end(&w) != SBX_OK || len > ret->cap)
		return sbx_fail(why, SBX_PROTOCOL,
		    "the ssh-agent at %s answers with %u bytes",
		    talk->agent->path, (unsigned)len);
	room = buf_grow(ret, len);
	return room == NULL ? buf_error(ret)
			    : receive_all(talk, room, len, why);
}

static void
put_request(const struct agent *agent, struct view bytes, struct buf *ret)
{
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf body = BUF_INIT(REQUEST_MAX);

	key_put_ed25519(agent->key, &key);
	buf_put_u8(&body, MESSAGE_SIGN_REQUEST);
	buf_put_string(&body, buf_view(&key));
	buf_put_string(&body, bytes);
	buf_put_u32(&body, 0); /* flags: they are for RSA */
	buf_fail(ret, buf_error(&key));
	buf_fail(ret, buf_error(&body));
	buf_put_string(ret, buf_view(&body));
}

static enum sbx_err
ask(const struct agent *agent, struct view bytes, struct buf *ret,
    struct sbx_why *why)
{
	cleanup_buf struct buf request = BUF_INIT(REQUEST_MAX + 4);
	struct talk talk = { -1, clock_ms() + (uint64_t)agent->timeout * 1000,
		agent };
	enum sbx_err err;

	put_request(agent, bytes, &request);
	if (buf_error(&request) != SBX_OK)
		return buf_error(&request);
	err = dial(&talk, why);
	if (err == SBX_OK)
		err = send_all(&talk, buf_view(&request), why);
	if (err == SBX_OK)
		err = receive_answer(&talk, ret, why);
	cleanup_close_fn(&talk.fd);
	return err;
}

enum sbx_err
agent_read_answer(struct view answer, uint8_t ret[static CA_SIGNATURE_LEN],
    struct sbx_why *why)
{
	struct wire w = wire_of(answer);
	uint8_t type = wire_u8(&w);
	struct wire inner;
	struct view name, signature;

	if (wire_error(&w) == SBX_OK && type == MESSAGE_FAILURE)
		return sbx_fail(why, SBX_REFUSED,
		    "the ssh-agent does not sign with this key: add it with "
		    "ssh-add");
	inner = wire_nested(&w, AGENT_ANSWER_MAX);
	name = wire_string(&inner, KEY_TYPE_MAX);
	signature = wire_string(&inner, CA_SIGNATURE_LEN);
	if (wire_end(&w) != SBX_OK || wire_end(&inner) != SBX_OK ||
	    type != MESSAGE_SIGN_RESPONSE ||
	    !view_eq_str(name, "ssh-ed25519") ||
	    signature.len != CA_SIGNATURE_LEN)
		return sbx_fail(
		    why, SBX_PROTOCOL, "the ssh-agent answers nonsense");
	memcpy(ret, signature.p, signature.len);
	return SBX_OK;
}

enum sbx_err
agent_sign(const struct agent *agent, struct view bytes,
    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(AGENT_ANSWER_MAX);
	uint8_t signature[CA_SIGNATURE_LEN];
	enum sbx_err err = ask(agent, bytes, &answer, why);

	if (err == SBX_OK)
		err = agent_read_answer(buf_view(&answer), signature, why);
	if (err != SBX_OK)
		return err;
	if (crypto_sign_ed25519_verify_detached(
		signature, bytes.p, bytes.len, agent->key) != 0)
		return sbx_fail(why, SBX_CERT_SIGNATURE,
		    "the ssh-agent's signature is wrong: is it the right key?");
	memcpy(ret, signature, sizeof(signature));
	return SBX_OK;
}

static enum sbx_err
sign_by_agent(const void *context, struct view bytes,
    uint8_t ret[static CA_SIGNATURE_LEN], struct sbx_why *why)
{
	return agent_sign(context, bytes, ret, why);
}

struct ca_key
ca_key_of_agent(const struct agent *agent)
{
	struct ca_key ca = { .sign = sign_by_agent, .context = agent };

	memcpy(ca.public, agent->key, sizeof(ca.public));
	return ca;
}
