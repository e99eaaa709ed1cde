/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>

#include "authkeys/syslog.h"
#include "common/cleanup.h"

struct place {
	char folder[32];
	struct sockaddr_un address;
};

static int
make_place(void **state)
{
	static struct place place;

	place = (struct place){ .folder = "/tmp/sbx-syslog.XXXXXX",
		.address = { .sun_family = AF_UNIX } };
	if (mkdtemp(place.folder) == NULL)
		return -1;
	(void)snprintf(place.address.sun_path, sizeof(place.address.sun_path),
	    "%s/log", place.folder);
	*state = &place;
	return 0;
}

static int
remove_place(void **state)
{
	struct place *place = *state;

	(void)unlink(place->address.sun_path);
	return rmdir(place->folder);
}

static int
listen_at(const struct place *place, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&place->address,
			     sizeof(place->address)),
	    0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static enum sbx_err
say(const struct place *place, const char *text)
{
	return syslog_send(place->address.sun_path, 85, "gate", VIEW_STR(text));
}

/* "<85>gate[1]: text", without a time */
static void
assert_message(const char *got, const char *text)
{
	char want[64];

	(void)snprintf(
	    want, sizeof(want), "<85>gate[%ld]: %s", (long)getpid(), text);
	assert_string_equal(got, want);
}

static void
test_datagram(void **state)
{
	cleanup_close int fd = listen_at(*state, SOCK_DGRAM);
	char got[128] = "";

	assert_int_equal(say(*state, "deny reason=expired"), SBX_OK);
	assert_true(recv(fd, got, sizeof(got) - 1, 0) > 0);
	assert_message(got, "deny reason=expired");
}

static void
test_stream(void **state)
{
	cleanup_close int fd = listen_at(*state, SOCK_STREAM);
	cleanup_close int peer = -1;
	char got[128] = "";
	ssize_t n;

	assert_int_equal(say(*state, "deny"), SBX_OK);
	peer = accept(fd, NULL, NULL);
	assert_true(peer >= 0);
	n = recv(peer, got, sizeof(got) - 1, MSG_WAITALL);
	assert_true(n > 0);
	assert_int_equal(got[n - 1], '\0');
	assert_message(got, "deny");
}

static void
test_no_log_is_no_harm(void **state)
{
	assert_int_equal(say(*state, "deny"), SBX_UNAVAILABLE);
}

/* Nobody reads: it gives up instead of waiting for ever. */
static void
test_full_queue(void **state)
{
	cleanup_close int fd = listen_at(*state, SOCK_DGRAM);
	enum sbx_err err = SBX_OK;

	assert_true(fd >= 0);
	(void)alarm(60); /* the failure of this test */
	while (err == SBX_OK)
		err = say(*state, "deny");
	(void)alarm(0);
	assert_int_equal(err, SBX_TIMEOUT);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_datagram),
		IN_PLACE(test_stream),
		IN_PLACE(test_no_log_is_no_harm),
		IN_PLACE(test_full_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
