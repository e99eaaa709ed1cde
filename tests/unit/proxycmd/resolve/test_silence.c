/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/file.h"
#include "proxycmd/resolve/silence.h"

static char dir[] = "/tmp/test_silence.XXXXXX";
static int dir_fd = -1;

static enum sbx_err
find(const char *suffix, const char *place, struct silence *ret)
{
	silence_find(dir_fd, suffix, place, ret);
	return ret->err;
}

static void
test_there_and_back(void **state)
{
	struct sbx_why why = { "broker at x gave no answer\nsecond line" };
	struct silence silence;
	uint64_t now;

	(void)state;
	assert_int_equal(find("sandbox", "http://x", &silence), SBX_OK);
	silence_note(dir_fd, "sandbox", "http://x", SBX_TIMEOUT, &why);
	assert_int_equal(find("sandbox", "http://x", &silence), SBX_TIMEOUT);
	now = (uint64_t)time(NULL) * 1000;
	assert_true(silence.when <= now + 1000 && silence.when + 9000 > now);
	assert_string_equal(silence.why, "broker at x gave no answer");
	/* Another broker, another domain. */
	assert_int_equal(find("sandbox", "http://y", &silence), SBX_OK);
	assert_int_equal(find("prod.sandbox", "http://x", &silence), SBX_OK);
	silence_note(dir_fd, "sandbox", "http://x", SBX_OK, NULL);
	assert_int_equal(find("sandbox", "http://x", &silence), SBX_OK);
	silence_note(dir_fd, "sandbox", "http://x", SBX_OK, NULL);
}

static void
test_damage(void **state)
{
	static const char *const texts[] = { "", "http://x\n",
		"http://x\ntimeout\n", "http://x\nno-such-error\ntext\n",
		"\n\n\n" };
	struct silence silence;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(file_write_atomic(dir_fd, ".silent-sandbox",
				     0600, VIEW_STR(texts[i]), NULL),
		    SBX_OK);
		assert_int_equal(find("sandbox", "http://x", &silence), SBX_OK);
	}
	assert_int_equal(unlinkat(dir_fd, ".silent-sandbox", 0), 0);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	return dir_fd < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)close(dir_fd);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
