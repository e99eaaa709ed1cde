/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/file.h"
#include "proxycmd/resolve/wish.h"

static char cache[] = "/tmp/test_wish.XXXXXX";
static int cache_fd = -1;

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(cache) == NULL)
		return -1;
	cache_fd = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cache_fd < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlinkat(cache_fd, WISH_FILE, 0);
	(void)close(cache_fd);
	return rmdir(cache);
}

static void
expect_same(const struct wish *a, const struct wish *b)
{
	assert_int_equal(a->ttl, b->ttl);
	assert_int_equal(a->permit, b->permit);
	assert_int_equal(a->single_use, b->single_use);
	assert_string_equal(a->source_address, b->source_address);
	assert_string_equal(a->force_command, b->force_command);
}

static void
test_written_then_read(void **state)
{
	static const struct wish wishes[] = {
		{ .permit = WISH_PERMIT_ANY, .single_use = true },
		{ .permit = 0, .ttl = 90 },
		{ .permit = PERMIT_PTY | PERMIT_X11,
		    .source_address = "192.0.2.0/24",
		    .force_command = "echo \"a\\b\" \303\274" },
	};
	const struct wish usual = WISH_INIT;
	struct wish read;

	(void)state;
	assert_int_equal(wish_read(cache_fd, &read, NULL), SBX_OK);
	expect_same(&read, &usual);
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		assert_true(wish_is_any(&wishes[i]));
		assert_int_equal(
		    wish_write(&wishes[i], cache_fd, NULL), SBX_OK);
		assert_int_equal(wish_read(cache_fd, &read, NULL), SBX_OK);
		expect_same(&read, &wishes[i]);
	}
	assert_false(wish_is_any(&usual));
	/* What is damaged is not the usual. */
	assert_int_equal(
	    file_write_atomic(cache_fd, WISH_FILE, 0600, VIEW_STR("{"), NULL),
	    SBX_OK);
	assert_int_not_equal(wish_read(cache_fd, &read, NULL), SBX_OK);
}

static void
test_fault(void **state)
{
	struct wish wish = WISH_INIT;
	struct cert_grant grant = { .permit = PERMIT_PTY | PERMIT_PORT };

	(void)state;
	assert_null(wish_fault(&wish, &grant));
	wish.permit = PERMIT_PTY;
	assert_non_null(strstr(wish_fault(&wish, &grant), "permits more"));
	grant.permit = 0;
	assert_null(wish_fault(&wish, &grant));
	wish.single_use = true;
	assert_non_null(wish_fault(&wish, &grant));
	grant.single_use = true;
	assert_null(wish_fault(&wish, &grant));
	memcpy(wish.source_address, "192.0.2.1", sizeof("192.0.2.1"));
	assert_non_null(wish_fault(&wish, &grant));
	grant.source_address = VIEW_STR("192.0.2.1");
	assert_null(wish_fault(&wish, &grant));
	memcpy(wish.force_command, "true", sizeof("true"));
	grant.force_command = VIEW_STR("true; false");
	assert_non_null(wish_fault(&wish, &grant));
	grant.force_command = VIEW_STR("true");
	assert_null(wish_fault(&wish, &grant));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_then_read),
		cmocka_unit_test(test_fault),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
