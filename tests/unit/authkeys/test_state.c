/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/state.h"
#include "tests/unit/tmpdir.h"

/* What is done to the folder, or to "file" or "folder" in it. */
typedef void spoil(const struct tmpdir *tmpdir);

static void
spoil_nothing(const struct tmpdir *tmpdir)
{
	(void)tmpdir;
}

static void
spoil_mode(const struct tmpdir *tmpdir)
{
	assert_int_equal(fchmod(tmpdir->dir, 0750), 0);
}

static void
spoil_missing(const struct tmpdir *tmpdir)
{
	assert_int_equal(unlinkat(tmpdir->dir, "folder", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(tmpdir->dir, "file", 0), 0);
	assert_int_equal(rmdir(tmpdir->path), 0);
}

static void
file_gone(const struct tmpdir *tmpdir)
{
	assert_int_equal(unlinkat(tmpdir->dir, "file", 0), 0);
}

static void
file_is_link(const struct tmpdir *tmpdir)
{
	file_gone(tmpdir);
	assert_int_equal(symlinkat("/etc/passwd", tmpdir->dir, "file"), 0);
}

static void
file_is_fifo(const struct tmpdir *tmpdir)
{
	file_gone(tmpdir);
	assert_int_equal(mkfifoat(tmpdir->dir, "file", 0600), 0);
}

static void
file_is_folder(const struct tmpdir *tmpdir)
{
	file_gone(tmpdir);
	assert_int_equal(mkdirat(tmpdir->dir, "file", 0700), 0);
}

static void
file_is_open(const struct tmpdir *tmpdir)
{
	assert_int_equal(fchmodat(tmpdir->dir, "file", 0604, 0), 0);
}

static void
folder_gone(const struct tmpdir *tmpdir)
{
	assert_int_equal(unlinkat(tmpdir->dir, "folder", AT_REMOVEDIR), 0);
}

static void
folder_is_link(const struct tmpdir *tmpdir)
{
	folder_gone(tmpdir);
	assert_int_equal(symlinkat("/etc", tmpdir->dir, "folder"), 0);
}

static void
folder_is_fifo(const struct tmpdir *tmpdir)
{
	folder_gone(tmpdir);
	assert_int_equal(mkfifoat(tmpdir->dir, "folder", 0600), 0);
}

static void
folder_is_open(const struct tmpdir *tmpdir)
{
	assert_int_equal(fchmodat(tmpdir->dir, "folder", 0770, 0), 0);
}

static const struct row {
	const char *name;
	spoil *spoil;
	enum sbx_err open, file, folder;
	const char *want; /* in the message of the first that fails */
} rows[] = {
	{ "as it should be", spoil_nothing, SBX_OK, SBX_OK, SBX_OK, NULL },
	{ "threat 24: open to the group", spoil_mode, SBX_UNTRUSTED, SBX_OK,
	    SBX_OK, " is open to others: chmod go= /tmp/" },
	{ "missing", spoil_missing, SBX_IO, SBX_OK, SBX_OK,
	    " does not exist: see state_dir" },
	{ "no file", file_gone, SBX_OK, SBX_NOT_FOUND, SBX_OK, "" },
	{ "threat 24: file is a symbolic link", file_is_link, SBX_OK,
	    SBX_UNTRUSTED, SBX_OK, "/file is a symbolic link" },
	{ "threat 24: file is a FIFO", file_is_fifo, SBX_OK, SBX_UNTRUSTED,
	    SBX_OK, "/file is not a regular file" },
	{ "threat 24: file is a folder", file_is_folder, SBX_OK, SBX_UNTRUSTED,
	    SBX_OK, "/file is not a regular file" },
	{ "file can be read by others", file_is_open, SBX_OK, SBX_UNTRUSTED,
	    SBX_OK, "/file is open to others" },
	{ "folder is made", folder_gone, SBX_OK, SBX_OK, SBX_OK, NULL },
	{ "threat 24: folder is a symbolic link", folder_is_link, SBX_OK,
	    SBX_OK, SBX_UNTRUSTED, "/folder is a symbolic link" },
	{ "threat 24: folder is a FIFO", folder_is_fifo, SBX_OK, SBX_OK,
	    SBX_UNTRUSTED, "/folder is a symbolic link or of the wrong kind" },
	{ "threat 24: folder is open to the group", folder_is_open, SBX_OK,
	    SBX_OK, SBX_UNTRUSTED, "/folder is open to others" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
use(const struct row *row, const struct tmpdir *tmpdir, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(64);
	cleanup_state struct state state = STATE_INIT;
	int folder = -1;

	assert_int_equal(
	    state_open(tmpdir->path, geteuid(), &state, why), row->open);
	if (row->open != SBX_OK)
		return;
	assert_int_equal(
	    state_read(&state, state.dir, "file", &text, why), row->file);
	if (row->file != SBX_OK)
		return;
	assert_string_equal(buf_text(&text), "text");
	assert_int_equal(
	    state_open_folder(&state, state.dir, "folder", &folder, why),
	    row->folder);
	if (row->folder == SBX_OK)
		(void)close(folder);
}

static void
test_row(void **pointer)
{
	const struct row *row = *pointer;
	struct sbx_why why = { "" };
	struct tmpdir tmpdir;

	tmpdir_make(&tmpdir);
	assert_int_equal(mkdirat(tmpdir.dir, "folder", 0700), 0);
	assert_int_equal(
	    file_write_atomic(tmpdir.dir, "file", 0600, VIEW_STR("text"), NULL),
	    SBX_OK);
	row->spoil(&tmpdir);
	use(row, &tmpdir, &why);
	if (row->want == NULL)
		assert_string_equal(why.text, "");
	else if (strstr(why.text, row->want) == NULL)
		fail_msg("'%s' is not in '%s'", row->want, why.text);
	tmpdir_remove(&tmpdir);
}

static void
test_is_a_link(void **pointer)
{
	struct sbx_why why = { "" };
	struct state state = STATE_INIT;
	struct tmpdir tmpdir;
	char path[128];

	(void)pointer;
	tmpdir_make(&tmpdir);
	(void)snprintf(path, sizeof(path), "%s/link", tmpdir.path);
	assert_int_equal(mkdirat(tmpdir.dir, "real", 0700), 0);
	assert_int_equal(symlinkat("real", tmpdir.dir, "link"), 0);
	assert_int_equal(
	    state_open(path, geteuid(), &state, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, path));
	tmpdir_remove(&tmpdir);
}

static void
test_folder_above_is_open(void **pointer)
{
	struct sbx_why why = { "" };
	struct state state = STATE_INIT;
	struct tmpdir tmpdir;
	char path[128];

	(void)pointer;
	tmpdir_make(&tmpdir);
	(void)snprintf(path, sizeof(path), "%s/state", tmpdir.path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(fchmod(tmpdir.dir, 0777), 0);
	assert_int_equal(
	    state_open(path, geteuid(), &state, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, tmpdir.path));
	assert_non_null(strstr(why.text, " can be written by others"));
	/* As /tmp is: nobody else could rename what is ours. */
	assert_int_equal(fchmod(tmpdir.dir, 01777), 0);
	assert_int_equal(state_open(path, geteuid(), &state, &why), SBX_OK);
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

/* Also root's, if it is not root that asks. */
static void
test_belongs_to_another(void **pointer)
{
	struct sbx_why why = { "" };
	struct state state = STATE_INIT;
	struct tmpdir tmpdir;

	(void)pointer;
	tmpdir_make(&tmpdir);
	assert_int_equal(state_open(tmpdir.path, geteuid() + 1, &state, &why),
	    SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, tmpdir.path));
	assert_non_null(strstr(why.text, " belongs to uid "));
	tmpdir_remove(&tmpdir);
}

static const struct CMUnitTest others[] = {
	{ "threat 24: a symbolic link", test_is_a_link, NULL, NULL, NULL },
	{ "threat 24: a folder above is open", test_folder_above_is_open, NULL,
	    NULL, NULL },
	{ "threat 24: it belongs to another", test_belongs_to_another, NULL,
	    NULL, NULL },
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + OTHERS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
