#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "proxycmd/dial.h"

static struct address
address_of(const char *host, uint16_t port)
{
	struct address_list list;
	char text[ENDPOINT_PORT_LEN];

	(void)snprintf(text, sizeof(text), "%u", port);
	assert_int_equal(
	    lookup_host(host, text, deadline_in(1000), &list, NULL), SBX_OK);
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

static void
test_refused_then_live(void **state)
{
	int server = listen_on("127.0.0.3", 0, 8), fd = -1;
	struct address_list list = { .count = 2,
		.item = { address_of("127.0.0.2", port_of(server)),
		    address_of("127.0.0.3", port_of(server)) } };
	uint64_t start = deadline_now();

	(void)state;
	assert_int_equal(dial_race(&list, deadline_in(5000), &fd), SBX_OK);
	/* a refusal starts the next attempt at once */
	assert_true(deadline_now() - start < DIAL_ATTEMPT);
	(void)close(fd);
	(void)close(server);
}

static void
test_deaf_then_live(void **state)
{
	int queue[4], deaf = listen_deaf("127.0.0.1", queue), fd = -1;
	int server = listen_on("::1", 0, 8);
	struct address_list list = { .count = 2,
		.item = { address_of("127.0.0.1", port_of(deaf)),
		    address_of("::1", port_of(server)) } };
	uint64_t start = deadline_now();

	(void)state;
	assert_int_equal(dial_race(&list, deadline_in(5000), &fd), SBX_OK);
	assert_true(deadline_now() - start >= DIAL_ATTEMPT - 1);
	assert_true(deadline_now() - start < 2000);
	(void)close(fd);
	(void)close(server);
	(void)close(deaf);
	close_all(queue, 4);
}

static void
test_all_refused(void **state)
{
	int gone = listen_on("127.0.0.1", 0, 1), fd = -1;
	uint16_t port = port_of(gone);
	struct address_list list = { .count = 2,
		.item = { address_of("127.0.0.1", port),
		    address_of("127.0.0.2", port) } };

	(void)state;
	(void)close(gone);
	assert_int_equal(
	    dial_race(&list, deadline_in(5000), &fd), SBX_UNAVAILABLE);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(fd, -1);
}

static void
test_deadline(void **state)
{
	int queue[4], deaf = listen_deaf("127.0.0.1", queue), fd = -1;
	struct address_list list = { .count = 1,
		.item = { address_of("127.0.0.1", port_of(deaf)) } };
	uint64_t start = deadline_now();

	(void)state;
	assert_int_equal(dial_race(&list, deadline_in(300), &fd), SBX_TIMEOUT);
	assert_true(deadline_now() - start < 3000);
	(void)close(deaf);
	close_all(queue, 4);
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
	dial_interleave(&list);
	assert_int_equal(list.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
		    ntohs(((struct sockaddr_in *)&list.item[i].sa)->sin_port),
		    want[i]);
}

static void
test_tcp_endpoint_by_name(void **state)
{
	struct endpoint endpoint = { .kind = ENDPOINT_TCP,
		.host = "localhost" };
	int server = listen_on("127.0.0.1", 0, 8), fd = -1, value = 0;
	socklen_t len = sizeof(value);

	(void)state;
	(void)snprintf(
	    endpoint.port, sizeof(endpoint.port), "%u", port_of(server));
	assert_int_equal(
	    dial_endpoint(&endpoint, deadline_in(5000), &fd, NULL), SBX_OK);
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
	struct address_list list;
	struct sbx_why why = { "" };

	(void)state;
	/* Reserved (RFC 6761), and too long a label for any resolver. */
	assert_int_equal(
	    lookup_host("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid",
		"22", deadline_in(10000), &list, &why),
	    SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, "address of aaa"));
}

static void
test_unix_endpoint(void **state)
{
	char folder[] = "/tmp/test_dial.XXXXXX";
	struct endpoint endpoint = { .kind = ENDPOINT_UNIX };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct sbx_why why = { "" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), fds[8], fd = -1;
	size_t count = 0;
	enum sbx_err err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(endpoint.path, sizeof(endpoint.path), "%s/s", folder);
	memcpy(sa.sun_path, endpoint.path, sizeof(sa.sun_path));
	assert_int_equal(dial_endpoint(&endpoint, deadline_in(1000), &fd, &why),
	    SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, endpoint.path));
	assert_int_equal(bind(server, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(dial_endpoint(&endpoint, deadline_in(1000), &fd, &why),
	    SBX_UNAVAILABLE);
	assert_int_equal(listen(server, 1), 0);
	/* until the queue is full: then the deadline ends the wait */
	while ((err = dial_endpoint(
		    &endpoint, deadline_in(200), &fds[count], &why)) == SBX_OK)
		assert_true(++count < 8);
	assert_int_equal(err, SBX_TIMEOUT);
	assert_true(count >= 1);
	close_all(fds, count);
	(void)close(server);
	(void)unlink(endpoint.path);
	(void)rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_then_live),
		cmocka_unit_test(test_deaf_then_live),
		cmocka_unit_test(test_all_refused),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_families_take_turns),
		cmocka_unit_test(test_tcp_endpoint_by_name),
		cmocka_unit_test(test_name_without_address),
		cmocka_unit_test(test_unix_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
