/* SPDX-License-Identifier: ISC */
#include "tests/unit/cases.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "certs/cmd/agent.h"
#include "common/cleanup.h"
#include "tests/unit/tmpdir.h"

#define SIGNATURE 64
#define V(literal)                                              \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static struct keypair pair;
static const char message[] = "what is to be signed";

/* Answers byte by byte, without their length. */
static const struct answer {
	const char *name;
	enum sbx_err want;
	struct view start; /* before the signature */
	size_t signature;  /* how much of it */
	struct view tail;
} answers[] = {
	{ "a signature", SBX_OK,
	    V("\16\0\0\0\123\0\0\0\13ssh-ed25519\0\0\0\100"), SIGNATURE,
	    V("") },
	{ "empty", SBX_PROTOCOL, V(""), 0, V("") },
	{ "failure", SBX_REFUSED, V("\5"), 0, V("") },
	{ "success, but of another kind", SBX_PROTOCOL, V("\6"), 0, V("") },
	{ "another message", SBX_PROTOCOL,
	    V("\14\0\0\0\123\0\0\0\13ssh-ed25519\0\0\0\100"), SIGNATURE,
	    V("") },
	{ "another algorithm", SBX_PROTOCOL,
	    V("\16\0\0\0\117\0\0\0\7ssh-rsa\0\0\0\100"), SIGNATURE, V("") },
	{ "63 bytes", SBX_PROTOCOL,
	    V("\16\0\0\0\122\0\0\0\13ssh-ed25519\0\0\0\77"), SIGNATURE - 1,
	    V("") },
	{ "65 bytes", SBX_PROTOCOL,
	    V("\16\0\0\0\124\0\0\0\13ssh-ed25519\0\0\0\101"), SIGNATURE,
	    V("x") },
	{ "cut short", SBX_PROTOCOL,
	    V("\16\0\0\0\123\0\0\0\13ssh-ed25519\0\0\0\100"), 1, V("") },
	{ "a tail", SBX_PROTOCOL,
	    V("\16\0\0\0\123\0\0\0\13ssh-ed25519\0\0\0\100"), SIGNATURE,
	    V("x") },
	{ "a tail inside", SBX_PROTOCOL,
	    V("\16\0\0\0\124\0\0\0\13ssh-ed25519\0\0\0\100"), SIGNATURE,
	    V("x") },
	{ "a length that wraps", SBX_PROTOCOL,
	    V("\16\377\377\377\377\0\0\0\13ssh-ed25519\0\0\0\100"), SIGNATURE,
	    V("") },
};

static void
put_answer(const struct answer *row, const uint8_t *signature, struct buf *ret)
{
	buf_put_view(ret, row->start);
	buf_put(ret, signature, row->signature);
	buf_put_view(ret, row->tail);
}

static void
test_answer(void **state)
{
	const struct answer *row = *state;
	uint8_t signature[SIGNATURE], found[SIGNATURE];
	cleanup_buf struct buf answer = BUF_INIT(4096);
	struct sbx_why why = { "" };
	enum sbx_err err;

	memset(signature, 7, sizeof(signature));
	memset(found, 1, sizeof(found));
	put_answer(row, signature, &answer);
	err = agent_read_answer(buf_view(&answer), found, &why);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	assert_int_equal(found[0], err == SBX_OK ? 7 : 1);
	assert_int_equal(why.text[0] == '\0', err == SBX_OK);
}

/* An agent of our own, which does one of these things. */
enum manner {
	SIGNS,
	SIGNS_BYTE_BY_BYTE,
	SIGNS_WITH_ANOTHER_KEY,
	SIGNS_SOMETHING_ELSE,
	REFUSES,
	HANGS_UP,
	HANGS_UP_IN_THE_MIDDLE,
	SAYS_NOTHING,
	ANNOUNCES_TOO_MUCH,
};

static const struct talk {
	const char *name;
	enum manner manner;
	enum sbx_err want;
	const char *why;
} talks[] = {
	{ "the agent signs", SIGNS, SBX_OK, "" },
	{ "byte by byte", SIGNS_BYTE_BY_BYTE, SBX_OK, "" },
	{ "with another key", SIGNS_WITH_ANOTHER_KEY, SBX_CERT_SIGNATURE,
	    "wrong" },
	{ "something else", SIGNS_SOMETHING_ELSE, SBX_CERT_SIGNATURE, "wrong" },
	{ "the agent refuses", REFUSES, SBX_REFUSED, "ssh-add" },
	{ "it hangs up", HANGS_UP, SBX_PROTOCOL, "hung up" },
	{ "in the middle", HANGS_UP_IN_THE_MIDDLE, SBX_PROTOCOL, "hung up" },
	{ "it says nothing", SAYS_NOTHING, SBX_TIMEOUT, "within 1 s" },
	{ "it announces 4 GB", ANNOUNCES_TOO_MUCH, SBX_PROTOCOL, "bytes" },
};

struct server {
	struct tmpdir tmpdir;
	char path[100];
	int listener;
	enum manner manner;
	pthread_t thread;
	bool request_ok;
};

/* PROTOCOL.agent, by hand: 13, key, data, no flags. */
static bool
read_request(int fd)
{
	cleanup_buf struct buf key = BUF_INIT(256), want = BUF_INIT(4096);
	uint8_t got[4096];
	size_t have = 0;

	key_put_ed25519(pair.public, &key);
	buf_put_u32(
	    &want, (uint32_t)(1 + 4 + key.len + 4 + strlen(message) + 4));
	buf_put_u8(&want, 13);
	buf_put_string(&want, buf_view(&key));
	buf_put_cstring(&want, message);
	buf_put_u32(&want, 0);
	while (have < want.len) {
		ssize_t n = read(fd, got + have, want.len - have);

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return memcmp(got, want.p, want.len) == 0;
}

static void
put_signature(const struct server *server, struct buf *ret)
{
	uint8_t signature[SIGNATURE];
	struct keypair other = pair;
	const char *text =
	    server->manner == SIGNS_SOMETHING_ELSE ? "else" : message;

	if (server->manner == SIGNS_WITH_ANOTHER_KEY)
		keypair_generate(&other);
	(void)crypto_sign_detached(
	    signature, NULL, (const uint8_t *)text, strlen(text), other.secret);
	buf_put_u32(ret, 88);
	put_answer(&answers[0], signature, ret);
}

static void
answer(const struct server *server, int fd)
{
	cleanup_buf struct buf bytes = BUF_INIT(4096);
	size_t chunk = 4096;
	char byte;

	put_signature(server, &bytes);
	switch (server->manner) {
	case REFUSES:
		buf_reset(&bytes);
		buf_put(&bytes, "\0\0\0\1\5", 5);
		break;
	case ANNOUNCES_TOO_MUCH:
		buf_reset(&bytes);
		buf_put_u32(&bytes, UINT32_MAX);
		break;
	case HANGS_UP:
		return;
	case HANGS_UP_IN_THE_MIDDLE:
		bytes.len = 20;
		break;
	case SAYS_NOTHING:
		(void)!read(fd, &byte, 1); /* until the other side gives up */
		return;
	case SIGNS_BYTE_BY_BYTE:
		chunk = 1;
		break;
	default:
		break;
	}
	for (size_t i = 0; i < bytes.len; i += chunk)
		(void)send(fd, bytes.p + i,
		    bytes.len - i < chunk ? bytes.len - i : chunk,
		    MSG_NOSIGNAL);
}

static void *
serve(void *context)
{
	struct server *server = context;
	cleanup_close int fd = accept(server->listener, NULL, NULL);

	server->request_ok = fd >= 0 && read_request(fd);
	answer(server, fd);
	return NULL;
}

static void
start(struct server *server, enum manner manner)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	tmpdir_make(&server->tmpdir);
	(void)snprintf(server->path, sizeof(server->path), "%s/agent",
	    server->tmpdir.path);
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", server->path);
	server->manner = manner;
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(server->listener, (const struct sockaddr *)&address,
		sizeof(address)),
	    0);
	assert_int_equal(listen(server->listener, 1), 0);
	assert_int_equal(
	    pthread_create(&server->thread, NULL, serve, server), 0);
}

static void
stop(struct server *server)
{
	assert_int_equal(pthread_join(server->thread, NULL), 0);
	(void)close(server->listener);
	tmpdir_remove(&server->tmpdir);
}

static void
test_talk(void **state)
{
	const struct talk *row = *state;
	struct server server;
	const struct agent agent = { server.path,
		row->manner == SAYS_NOTHING ? 1 : 60, pair.public };
	const struct ca_key ca = ca_key_of_agent(&agent);
	uint8_t signature[SIGNATURE] = { 0 };
	struct sbx_why why = { "" };
	enum sbx_err err;

	start(&server, row->manner);
	err = ca_key_sign(&ca, VIEW_STR(message), signature, &why);
	stop(&server);
	assert_true(server.request_ok);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	assert_non_null(strstr(why.text, row->why));
	if (err == SBX_OK)
		assert_int_equal(
		    crypto_sign_verify_detached(signature,
			(const uint8_t *)message, strlen(message), pair.public),
		    0);
}

static void
test_nobody_there(void **state)
{
	char path[200];
	const struct agent agent = { path, 5, pair.public };
	uint8_t signature[SIGNATURE];
	struct sbx_why why = { "" };

	(void)state;
	(void)snprintf(path, sizeof(path), "/nowhere/agent");
	assert_int_equal(agent_sign(&agent, VIEW_STR(message), signature, &why),
	    SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, path));
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(agent_sign(&agent, VIEW_STR(message), signature, &why),
	    SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, "too long"));
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	keypair_generate(&pair);
	CASE_ROWS(answers, test_answer);
	CASE_ROWS(talks, test_talk);
	CASE(test_nobody_there);
	return cases_run("agent");
}
