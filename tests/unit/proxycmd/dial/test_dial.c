/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "proxycmd/dial/dial.h"
#include "proxycmd/dial/endpoint.h"
#include "proxycmd/dial/lookup.h"

static struct address
address_of(const char *host, uint16_t port)
{
	struct address_list list;
	char text[ENDPOINT_PORT_LEN];

	(void)snprintf(text, sizeof(text), "%u", port);
	assert_true(lookup_numeric(host, text, &list));
	return list.item[0];
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	/* sin_port and sin6_port are at the same place */
	return ntohs(((struct sockaddr_in *)&sa)->sin_port);
}

static int
listen_on(const char *host, uint16_t port, int backlog)
{
	struct address a = address_of(host, port);
	int fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a.sa, a.len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/*
 * An address that swallows packets: a listener whose queue is full.  Its
 * connections are left in ret to keep it so.
 */
static int
listen_deaf(const char *host, int ret[static 4])
{
	int fd = listen_on(host, 0, /* backlog= */ 0);
	struct address a = address_of(host, port_of(fd));

	for (int i = 0; i < 4; i++) {
		ret[i] = socket(a.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(ret[i], (struct sockaddr *)&a.sa, a.len);
	}
	return fd;
}

static void
close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
}

/*
 * A name with as many addresses as one may have, none of which answers; the
 * other names are looked up as ever.
 */
#define MANY "many.test"

static struct address nowhere;

enum sbx_err __real_lookup_start(const char *host, const char *port,
    int *ret_fd, pid_t *ret_pid, struct sbx_why *why);
enum sbx_err __real_lookup_finish(
    int fd, const char *host, struct address_list *ret, struct sbx_why *why);

enum sbx_err __wrap_lookup_start(const char *host, const char *port,
    int *ret_fd, pid_t *ret_pid, struct sbx_why *why);
enum sbx_err __wrap_lookup_finish(
    int fd, const char *host, struct address_list *ret, struct sbx_why *why);

enum sbx_err
__wrap_lookup_start(const char *host, const char *port, int *ret_fd,
    pid_t *ret_pid, struct sbx_why *why)
{
	if (strcmp(host, MANY) != 0)
		return __real_lookup_start(host, port, ret_fd, ret_pid, why);
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? SBX_IO : SBX_OK;
}

enum sbx_err
__wrap_lookup_finish(
    int fd, const char *host, struct address_list *ret, struct sbx_why *why)
{
	if (strcmp(host, MANY) != 0)
		return __real_lookup_finish(fd, host, ret, why);
	for (ret->count = 0; ret->count < LOOKUP_MAX; ret->count++)
		ret->item[ret->count] = nowhere;
	return SBX_OK;
}

/* Endpoints to race, and what became of it. */
struct match {
	struct endpoint endpoints[DIAL_ENDPOINTS];
	size_t count;
	int fd;
	uint64_t took; /* milliseconds */
	struct sbx_why why;
};

static void
put(struct match *m, const char *text)
{
	assert_int_equal(
	    endpoint_parse(text, &m->endpoints[m->count++], NULL), SBX_OK);
}

static void
put_tcp(struct match *m, const char *host, int port)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "tcp://%s:%d", host, port);
	put(m, text);
}

static enum sbx_err
race(struct match *m, unsigned limit)
{
	static const struct dial_setup setup = { .relay = "/nonexistent" };
	uint64_t start = deadline_now();
	enum sbx_err err;

	m->fd = -1;
	err = dial_race(m->endpoints, m->count, &setup, deadline_in(limit),
	    &m->fd, &m->why);
	m->took = deadline_now() - start;
	if (m->fd >= 0)
		(void)close(m->fd);
	return err;
}

static void
test_refused_then_live(void **state)
{
	int server = listen_on("127.0.0.3", 0, 8);
	struct match m = { .count = 0 };

	(void)state;
	put_tcp(&m, "127.0.0.2", port_of(server));
	put_tcp(&m, "127.0.0.3", port_of(server));
	assert_int_equal(race(&m, 5000), SBX_OK);
	/* a refusal starts the next attempt at once */
	assert_true(m.took < DIAL_ATTEMPT);
	(void)close(server);
}

static void
test_deaf_then_live(void **state)
{
	int queue[4], deaf = listen_deaf("127.0.0.1", queue);
	int server = listen_on("::1", 0, 8);
	struct match m = { .count = 0 };

	(void)state;
	put_tcp(&m, "127.0.0.1", port_of(deaf));
	put_tcp(&m, "[::1]", port_of(server));
	assert_int_equal(race(&m, 5000), SBX_OK);
	assert_true(m.took >= DIAL_ATTEMPT - 1);
	assert_true(m.took < 2000);
	(void)close(server);
	(void)close(deaf);
	close_all(queue, 4);
}

/* Each dead one costs its 250 ms and not more. */
static void
test_all_but_the_last_deaf(void **state)
{
	int queue[4], deaf = listen_deaf("127.0.0.1", queue);
	int server = listen_on("127.0.0.1", 0, 8);
	struct match m = { .count = 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		put_tcp(&m, "127.0.0.1", port_of(deaf));
	put_tcp(&m, "127.0.0.1", port_of(server));
	assert_int_equal(race(&m, 5000), SBX_OK);
	assert_true(m.took >= 4 * DIAL_ATTEMPT - 4);
	assert_true(m.took < 5 * DIAL_ATTEMPT);
	(void)close(server);
	(void)close(deaf);
	close_all(queue, 4);
}

static void
test_all_refused(void **state)
{
	int gone = listen_on("127.0.0.1", 0, 1);
	uint16_t port = port_of(gone);
	struct match m = { .count = 0 };

	(void)state;
	(void)close(gone);
	put_tcp(&m, "127.0.0.1", port);
	put_tcp(&m, "127.0.0.2", port);
	assert_int_equal(race(&m, 5000), SBX_UNAVAILABLE);
	assert_non_null(strstr(m.why.text, "refused"));
	assert_int_equal(m.fd, -1);
}

static void
test_deadline(void **state)
{
	int queue[4], deaf = listen_deaf("127.0.0.1", queue);
	struct match m = { .count = 0 };

	(void)state;
	put_tcp(&m, "127.0.0.1", port_of(deaf));
	assert_int_equal(race(&m, 300), SBX_TIMEOUT);
	assert_true(m.took < 3000);
	(void)close(deaf);
	close_all(queue, 4);
}

/*
 * What asking the broker again cannot mend is what a person has to read; but
 * it is asked, as long as it may help.
 */
static void
test_which_failure_is_told(void **state)
{
	int gone = listen_on("127.0.0.1", 0, 1);
	uint16_t port = port_of(gone);

	(void)state;
	(void)close(gone);
	for (int turn = 0; turn < 2; turn++) {
		struct match m = { .count = 0 };

		if (turn == 0)
			put_tcp(&m, "127.0.0.1", port);
		put(&m, "tls://box:443"); /* sandbox-relay is missing */
		if (turn == 1)
			put_tcp(&m, "127.0.0.1", port);
		assert_int_equal(race(&m, 1000), SBX_UNAVAILABLE);
		assert_non_null(strstr(m.why.text, "/nonexistent"));
	}
}

static void
test_families_take_turns(void **state)
{
	struct address_list list = { .count = 5,
		.item = { address_of("::1", 1), address_of("::1", 2),
		    address_of("::1", 3), address_of("127.0.0.1", 4),
		    address_of("127.0.0.1", 5) } };
	static const uint16_t want[] = { 1, 4, 2, 5, 3 };

	(void)state;
	lookup_interleave(&list);
	assert_int_equal(list.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
		    ntohs(((struct sockaddr_in *)&list.item[i].sa)->sin_port),
		    want[i]);
}

static void
test_tcp_endpoint_by_name(void **state)
{
	int server = listen_on("127.0.0.1", 0, 8), fd = -1, value = 0;
	struct dial_setup setup = { .relay = NULL };
	struct match m = { .count = 0 };
	socklen_t len = sizeof(value);

	(void)state;
	put_tcp(&m, "localhost", port_of(server));
	assert_int_equal(
	    dial_race(m.endpoints, 1, &setup, deadline_in(5000), &fd, NULL),
	    SBX_OK);
	assert_int_equal(
	    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	assert_int_not_equal(value, 0);
	assert_int_equal(
	    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
	assert_int_not_equal(value, 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	(void)close(fd);
	(void)close(server);
}

static void
test_name_without_address(void **state)
{
	struct match m = { .count = 0 };

	(void)state;
	/* Reserved (RFC 6761), and too long a label for any resolver. */
	put_tcp(&m,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid",
	    22);
	assert_int_equal(race(&m, 10000), SBX_UNAVAILABLE);
	assert_non_null(strstr(m.why.text, "address of aaa"));
}

static void
test_unix_endpoint(void **state)
{
	char folder[] = "/tmp/test_dial.XXXXXX", text[64];
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct dial_setup setup = { .relay = NULL };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), fds[8];
	struct match m = { .count = 0 };
	size_t count = 0;
	enum sbx_err err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", folder);
	(void)snprintf(text, sizeof(text), "unix:%s/s", folder);
	put(&m, text);
	assert_int_equal(race(&m, 1000), SBX_UNAVAILABLE);
	assert_non_null(strstr(m.why.text, text));
	assert_int_equal(bind(server, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(race(&m, 1000), SBX_UNAVAILABLE);
	assert_int_equal(listen(server, 1), 0);
	/* until the queue is full: then the deadline ends the wait */
	while ((err = dial_race(m.endpoints, 1, &setup, deadline_in(200),
		    &fds[count], NULL)) == SBX_OK)
		assert_true(++count < 8);
	assert_int_equal(err, SBX_TIMEOUT);
	assert_true(count >= 1);
	close_all(fds, count);
	(void)close(server);
	(void)unlink(sa.sun_path);
	(void)rmdir(folder);
}

static void
test_vsock(void **state)
{
	struct match m = { .count = 0 };
	enum sbx_err err;

	(void)state;
	/*
	 * With or without such sockets in this kernel: nobody is there.  In
	 * a virtual machine it is asked outside, where nobody answers.
	 */
	put(&m, "vsock:1:4294967294");
	err = race(&m, 300);
	assert_true(err == SBX_UNAVAILABLE || err == SBX_TIMEOUT);
	assert_non_null(strstr(m.why.text, "vsock:1:4294967294"));
}

/* All that a broker may name at most, and nobody answers. */
static void
test_more_than_fit(void **state)
{
	int full[4], server = listen_deaf("127.0.0.9", full);
	struct match m = { .count = 0 };

	(void)state;
	nowhere = address_of("127.0.0.9", port_of(server));
	for (int i = 0; i < DIAL_ENDPOINTS; i++)
		put_tcp(&m, MANY, 22);
	assert_int_equal(race(&m, 2500), SBX_TIMEOUT);
	close_all(full, 4);
	(void)close(server);
}

int
main(void)
{
	CASE(test_refused_then_live);
	CASE(test_deaf_then_live);
	CASE(test_all_but_the_last_deaf);
	CASE(test_all_refused);
	CASE(test_deadline);
	CASE(test_which_failure_is_told);
	CASE(test_families_take_turns);
	CASE(test_tcp_endpoint_by_name);
	CASE(test_name_without_address);
	CASE(test_unix_endpoint);
	CASE(test_vsock);
	CASE(test_more_than_fit);
	return cases_run("dial");
}
