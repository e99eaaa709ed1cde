/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/un.h>
#include <time.h>

#include "broker/front/http.h"
#include "tests/unit/lingering.h"

#define GENEROUS 30 /* seconds for what takes a moment */

static const struct broker_settings settings = { .connections = 16 };
static struct broker broker = { .settings = &settings };

struct site {
	struct http *http;
	struct sockaddr_un address;
	socklen_t len;
};

static uint64_t
now(void)
{
	return (uint64_t)time(NULL);
}

static void
on_event(const struct http_event *event)
{
	(void)event;
}

static void
open_site(struct site *site)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memset(site, 0, sizeof(*site));
	broker.now = broker.ticks = now;
	assert_int_equal(
	    persons_new(&settings, "/nonexistent", &broker.persons), SBX_OK);
	site->address.sun_family = AF_UNIX;
	site->len = sizeof(site->address);
	assert_int_equal(bind(fd, (struct sockaddr *)&site->address,
			     sizeof(site->address.sun_family)),
	    0);
	assert_int_equal(
	    getsockname(fd, (struct sockaddr *)&site->address, &site->len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(
	    http_start(&broker, fd, on_event, &site->http, NULL), SBX_OK);
}

static int
call(const struct site *site, const char *text, size_t len)
{
	const struct timeval wait = { GENEROUS, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&site->address, site->len), 0);
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
	return fd;
}

static void
assert_answer(int fd, const char *status)
{
	char text[4096] = "";

	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_memory_equal(text, status, strlen(status));
}

static void
assert_served(const struct site *site)
{
	static const char request[] = "GET /v1/health HTTP/1.1\r\n"
				      "Host: localhost\r\n\r\n";
	int fd = call(site, request, sizeof(request) - 1);

	/* And again on the same connection. */
	assert_answer(fd, "HTTP/1.1 200 ");
	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL),
	    sizeof(request) - 1);
	assert_answer(fd, "HTTP/1.1 200 ");
	(void)close(fd);
}

/* More than is read of a request, and a descriptor behind it. */
static void
test_descriptors_under_way(void **state)
{
	static char request[60000];
	struct site site;
	int guest = -1, lingering, peer;

	(void)state;
	memset(request, 'x', sizeof(request));
	memcpy(request, "GET / HTTP/1.1\r\nX: ", 19);
	open_site(&site);
	lingering = lingering_make(&peer);
	do {
		if (guest >= 0)
			(void)close(guest);
		guest = call(&site, request, sizeof(request));
	} while (!lingering_pass(lingering, guest));
	(void)close(lingering);
	assert_answer(guest, "HTTP/1.1 ");
	for (int i = 0; i < 3; i++)
		assert_served(&site);
	http_stop(site.http);
	persons_free(broker.persons);
	(void)close(guest);
	(void)close(peer);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
