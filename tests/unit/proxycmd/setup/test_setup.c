/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/file.h"
#include "proxycmd/setup/setup.h"

static char folder[] = "/tmp/test_setup.XXXXXX";
static char config[64], snippet[64], line[96];

struct row {
	const char *name;
	struct view text;
};

#define ROW(name, text)                                           \
	{                                                         \
		name,                                             \
		{                                                 \
			(const uint8_t *)(text), sizeof(text) - 1 \
		}                                                 \
	}

static const struct row rows[] = {
	ROW("usual", "Host a\n    User me\n"),
	ROW("no final newline", "Host a\n    User me"),
	ROW("CRLF", "Host a\r\n    User me\r\n"),
	ROW("comments and blank lines", "\n\n# mine\n\n"),
	ROW("one newline", "\n"),
	ROW("not UTF-8, with a NUL", "# \377\376\0\nHost a\n"),
	ROW("empty", ""),
	ROW("UTF-8 with a byte order mark", "\357\273\277Host a\n"),
	ROW("a comment that says what ours says",
	    "# Made by sandbox-proxy setup, which removes this file\n"),
	ROW("tabs and trailing blanks", "\tHost a  \n\t\tUser me \t"),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
write_config(struct view text, mode_t mode)
{
	(void)unlink(config);
	assert_int_equal(
	    file_write_atomic(AT_FDCWD, config, mode, text, NULL), SBX_OK);
}

static void
assert_config(struct view want)
{
	cleanup_buf struct buf text = BUF_INIT(65536);

	assert_int_equal(file_read(AT_FDCWD, config, &text, NULL), SBX_OK);
	assert_true(view_eq(buf_view(&text), want));
}

static enum sbx_err
run(bool remove, bool dry_run, struct sbx_why *why)
{
	cleanup_buf struct buf report = BUF_INIT(SETUP_REPORT_MAX);
	struct setup_request request = { config, snippet, remove, dry_run };

	return setup_run(&request, &report, why);
}

static void
test_there_and_back(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf want = BUF_INIT(65536);
	struct stat st;

	write_config(row->text, 0640);
	assert_int_equal(chown(config, geteuid(), getegid()), 0);
	assert_int_equal(run(false, true, NULL), SBX_OK);
	assert_config(row->text);
	buf_printf(&want, "%s\n", line);
	buf_put_view(&want, row->text);
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_config(buf_view(&want));
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_config(buf_view(&want));
	assert_int_equal(run(true, true, NULL), SBX_OK);
	assert_config(buf_view(&want));
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_config(row->text);
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_config(row->text);
	assert_int_equal(stat(config, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* Also where the line stands already, but only for one host. */
static void
test_line_inside_a_host_block(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(4096), want = BUF_INIT(4096);

	(void)state;
	buf_printf(&text, "Host a\n%s\n", line);
	buf_printf(&want, "%s\n%s", line, buf_text(&text));
	write_config(buf_view(&text), 0600);
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_config(buf_view(&want));
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_config(buf_view(&text));
}

/* Nothing of ours: remove changes no byte of it, and says where it is. */
static void
test_remove_from_a_host_block(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(4096), block = BUF_INIT(512);
	struct sbx_why why = { "" };

	(void)state;
	buf_printf(&text, "Host mine-*.sandbox\n%s\n", line);
	write_config(buf_view(&text), 0600);
	assert_int_equal(run(true, false, &why), SBX_CONFIG);
	assert_non_null(strstr(why.text,
	    "config has it only below 'Host mine-*.sandbox': take it out by "
	    "hand"));
	assert_config(buf_view(&text));
	assert_true(setup_is_below(config, snippet, &block));
	assert_string_equal(buf_text(&block), "Host mine-*.sandbox");
}

/* One's own block first: the line is where it should be. */
static void
test_line_below_match_all(void **state)
{
	static const char own[] = "Host a\n    User me\nMatch all\n";
	cleanup_buf struct buf text = BUF_INIT(4096), block = BUF_INIT(512);

	(void)state;
	buf_printf(&text, "%s    %s\n# end", own, line);
	write_config(buf_view(&text), 0600);
	assert_false(setup_is_below(config, snippet, &block));
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_config(buf_view(&text));
	buf_reset(&text);
	buf_printf(&text, "%s# end", own);
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_config(buf_view(&text));
}

static void
test_first_use_of_ssh(void **state)
{
	char ssh[64], saved[64];
	struct stat st;

	(void)state;
	memcpy(saved, config, sizeof(saved));
	(void)snprintf(ssh, sizeof(ssh), "%s/.ssh", folder);
	(void)snprintf(config, sizeof(config), "%s/.ssh/config", folder);
	assert_int_equal(run(false, true, NULL), SBX_OK);
	assert_int_not_equal(stat(ssh, &st), 0);
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_int_equal(stat(ssh, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(config, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_int_not_equal(stat(config, &st), 0);
	assert_int_equal(rmdir(ssh), 0);
	memcpy(config, saved, sizeof(saved));
}

/* ~/.ssh/config -> dotfiles/config, relative and through another folder */
static void
test_symbolic_link(void **state)
{
	char real[80], dotfiles[64];
	struct stat st;

	(void)state;
	(void)snprintf(dotfiles, sizeof(dotfiles), "%s/dotfiles", folder);
	(void)snprintf(real, sizeof(real), "%s/config", dotfiles);
	assert_int_equal(mkdir(dotfiles, 0755), 0);
	write_config(VIEW_STR("Host a\n"), 0644);
	assert_int_equal(rename(config, real), 0);
	assert_int_equal(symlink("dotfiles/config", config), 0);
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_int_equal(lstat(config, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(real, &st), 0);
	assert_int_equal(st.st_size, strlen(line) + 1 + strlen("Host a\n"));
	assert_int_equal(st.st_mode & 07777, 0644);
	/* nothing left: the file behind the link stays */
	assert_int_equal(truncate(real, (off_t)strlen(line) + 1), 0);
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_int_equal(lstat(real, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(unlink(real), 0);
	/* also one that setup made, moved there afterwards */
	assert_int_equal(unlink(config), 0);
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_int_equal(rename(config, real), 0);
	assert_int_equal(symlink("dotfiles/config", config), 0);
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_int_equal(lstat(real, &st), 0);
	assert_int_equal(unlink(real), 0);
	/* a link to nothing, and a link to itself */
	assert_int_equal(run(false, false, NULL), SBX_IO);
	assert_int_equal(unlink(config), 0);
	assert_int_equal(symlink(config, config), 0);
	assert_int_equal(run(false, false, NULL), SBX_IO);
	assert_int_equal(unlink(config), 0);
	assert_int_equal(rmdir(dotfiles), 0);
}

static void
fill(size_t size, char first)
{
	cleanup_buf struct buf text = BUF_INIT(SETUP_FILE_MAX + 1);
	uint8_t *bytes = buf_grow(&text, size);

	assert_non_null(bytes);
	memset(bytes, '#', size);
	bytes[0] = (uint8_t)first;
	for (size_t i = 79; i < size; i += 80)
		bytes[i] = '\n';
	write_config(buf_view(&text), 0600);
}

/* What goes in must come out again: nothing is made that cannot be read. */
static void
test_large(void **state)
{
	struct sbx_why why = { "" };
	struct stat st;

	(void)state;
	for (size_t size = 1024 * 1024;
	     size <= SETUP_FILE_MAX - strlen(line) - 1;
	     size += SETUP_FILE_MAX - strlen(line) - 1 - 1024 * 1024) {
		fill(size, '#');
		assert_int_equal(run(false, false, NULL), SBX_OK);
		assert_int_equal(run(true, false, NULL), SBX_OK);
		assert_int_equal(stat(config, &st), 0);
		assert_int_equal(st.st_size, size);
	}
	fill(SETUP_FILE_MAX - strlen(line), '#');
	assert_int_equal(run(false, false, &why), SBX_TOO_LARGE);
	assert_non_null(strstr(why.text, "by hand"));
	assert_int_equal(stat(config, &st), 0);
	assert_int_equal(st.st_size, SETUP_FILE_MAX - strlen(line));
}

/* Only the file that setup made goes, and only if it is as it was made. */
static void
test_made_here(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(4096);
	struct stat st;

	(void)state;
	(void)unlink(config);
	assert_int_equal(run(false, false, NULL), SBX_OK);
	assert_int_equal(file_read(AT_FDCWD, config, &text, NULL), SBX_OK);
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_int_not_equal(stat(config, &st), 0);
	buf_put_text(&text, "Host a\n");
	write_config(buf_view(&text), 0600);
	assert_int_equal(run(true, false, NULL), SBX_OK);
	assert_int_equal(stat(config, &st), 0);
}

static void
test_refused(void **state)
{
	struct sbx_why why = { "" };
	char other[64];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	(void)unlink(config);
	assert_int_equal(mkfifo(config, 0600), 0);
	assert_int_equal(run(false, false, &why), SBX_UNTRUSTED);
	write_config(VIEW_STR("Host a\n"), 0600);
	assert_int_equal(link(config, other), 0);
	assert_int_equal(run(false, false, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, "hard links"));
	assert_int_equal(unlink(other), 0);
	assert_int_equal(rename(snippet, other), 0);
	assert_int_equal(run(false, false, &why), SBX_CONFIG);
	assert_int_equal(symlink(config, snippet), 0);
	assert_int_equal(run(false, false, &why), SBX_CONFIG);
	assert_non_null(strstr(why.text, "itself"));
	assert_int_equal(rename(other, snippet), 0);
	assert_config(VIEW_STR("Host a\n"));
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(config, sizeof(config), "%s/config", folder);
	(void)snprintf(snippet, sizeof(snippet), "%s/sandbox.conf", folder);
	(void)snprintf(line, sizeof(line), "Include %s", snippet);
	return file_write_atomic(
		   AT_FDCWD, snippet, 0644, VIEW_STR("# x\n"), NULL) == SBX_OK
	    ? 0
	    : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(config);
	(void)unlink(snippet);
	return rmdir(folder); /* fails if a temporary file was left */
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_line_inside_a_host_block),
	cmocka_unit_test(test_remove_from_a_host_block),
	cmocka_unit_test(test_line_below_match_all),
	cmocka_unit_test(test_first_use_of_ssh),
	cmocka_unit_test(test_symbolic_link),
	cmocka_unit_test(test_large),
	cmocka_unit_test(test_made_here),
	cmocka_unit_test(test_refused),
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + OTHERS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name,
			test_there_and_back, NULL, NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
