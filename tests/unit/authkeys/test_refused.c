/* SPDX-License-Identifier: ISC */
#include "tests/unit/cases.h"

#include <string.h>

#include "authkeys/refused.h"
#include "common/file.h"
#include "tests/unit/tmpdir.h"

static const struct refusal expired = { SBX_EXPIRED, 1790000000 };
static const struct refusal weak = { SBX_KEY_WEAK, 5 };

struct scene {
	struct tmpdir tmpdir;
	char path[128];
};

static void
open_scene(struct scene *s)
{
	tmpdir_make(&s->tmpdir);
	(void)snprintf(s->path, sizeof(s->path), "%s/refused", s->tmpdir.path);
}

static void
assert_told(const struct scene *s, const struct refusal *want)
{
	cleanup_buf struct buf line = BUF_INIT(2 * REFUSAL_LEN);
	struct refusal refusal;

	assert_int_equal(
	    file_read(s->tmpdir.dir, "refused", &line, NULL), SBX_OK);
	assert_int_equal(refusal_parse(buf_view(&line), &refusal), SBX_OK);
	assert_int_equal(refusal.err, want->err);
	assert_int_equal(refusal.when, want->when);
}

static void
test_again(void **state)
{
	struct scene s;
	struct stat st;

	(void)state;
	open_scene(&s);
	(void)umask(022);
	assert_int_equal(refused_put(s.path, geteuid(), &expired), SBX_OK);
	assert_told(&s, &expired);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	/* A shorter one leaves nothing of it. */
	assert_int_equal(refused_put(s.path, geteuid(), &weak), SBX_OK);
	assert_told(&s, &weak);
	tmpdir_remove(&s.tmpdir);
}

static void
assert_untouched(struct scene *s, uid_t owner, enum sbx_err want)
{
	char text[REFUSAL_LEN] = "";
	int fd = openat(s->tmpdir.dir, "other", O_RDWR | O_CREAT, 0600);

	assert_int_equal(write(fd, "as it was", 9), 9);
	assert_int_equal(refused_put(s->path, owner, &expired), want);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 9);
	assert_string_equal(text, "as it was");
	(void)close(fd);
	tmpdir_remove(&s->tmpdir);
}

static void
test_symbolic_link(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	assert_int_equal(symlinkat("other", s.tmpdir.dir, "refused"), 0);
	assert_untouched(&s, geteuid(), SBX_IO);
}

static void
test_hard_link(void **state)
{
	struct scene s;
	int fd;

	(void)state;
	open_scene(&s);
	fd = openat(s.tmpdir.dir, "other", O_WRONLY | O_CREAT, 0600);
	(void)close(fd);
	assert_int_equal(
	    linkat(s.tmpdir.dir, "other", s.tmpdir.dir, "refused", 0), 0);
	assert_untouched(&s, geteuid(), SBX_UNTRUSTED);
}

static void
test_of_somebody_else(void **state)
{
	struct scene s;
	struct stat st;

	(void)state;
	open_scene(&s);
	assert_int_equal(
	    refused_put(s.path, geteuid() + 1, &expired), SBX_UNTRUSTED);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_size, 0);
	tmpdir_remove(&s.tmpdir);
}

static void
test_no_plain_file(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	/* Without a reader, opening it would hang. */
	assert_int_equal(mkfifoat(s.tmpdir.dir, "refused", 0600), 0);
	assert_int_equal(refused_put(s.path, geteuid(), &expired), SBX_IO);
	assert_int_equal(unlinkat(s.tmpdir.dir, "refused", 0), 0);
	assert_int_equal(mkdirat(s.tmpdir.dir, "refused", 0700), 0);
	assert_int_equal(refused_put(s.path, geteuid(), &expired), SBX_IO);
	tmpdir_remove(&s.tmpdir);
	assert_int_equal(refused_put(s.path, geteuid(), &expired), SBX_IO);
}

int
main(void)
{
	CASE(test_again);
	CASE(test_symbolic_link);
	CASE(test_hard_link);
	CASE(test_of_somebody_else);
	CASE(test_no_plain_file);
	return cases_run("authkeys_refused");
}
