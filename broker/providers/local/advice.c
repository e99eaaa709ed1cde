/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/advice.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <unistd.h>

#include "broker/providers/local/start.h"
#include "common/file.h"
#include "common/subid.h"

/* What sandboxes of an ordinary user need, and the package of Debian's. */
static const struct {
	const char *program;
	const char *package;
} needed[] = {
	{ "newuidmap", "uidmap" },
	{ "bwrap", "bubblewrap" },
};

static bool
is_installed(const char *program)
{
	static const char *const folders[] = { "/usr/bin", "/bin",
		"/usr/local/bin" };
	char path[PATHS_MAX];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (paths_join(folders[i], program, path) == SBX_OK &&
		    access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void
put_packages(struct buf *ret)
{
	const char *before = "apt-get install";

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (is_installed(needed[i].program))
			continue;
		buf_printf(ret, "%s %s", before, needed[i].package);
		before = "";
	}
	if (ret->len > 0)
		buf_put_text(ret, " && ");
}

/*
 * The files as they are; one that cannot be read has nothing to say.  What
 * root's sandboxd has stands in none of them.
 */
static uint64_t
find_free(const struct provider_context *context)
{
	static const char *const names[IDS_TAKEN] = { "/etc/subuid",
		"/etc/subgid", "/etc/passwd", "/etc/group" };
	struct buf text[IDS_TAKEN];
	struct view taken[IDS_TAKEN];
	uint64_t start;

	for (int i = 0; i < IDS_TAKEN; i++) {
		text[i] = BUF_INIT(SUBID_FILE_MAX);
		if (file_read(AT_FDCWD, names[i], &text[i], NULL) != SBX_OK)
			buf_reset(&text[i]);
		if (i == 0)
			buf_printf(&text[i], "\n0:%" PRIu64 ":%" PRIu64 "\n",
			    context->machine_range_start,
			    context->machine_range_count);
		taken[i] = buf_view(&text[i]);
	}
	start = ids_free(taken);
	for (int i = 0; i < IDS_TAKEN; i++)
		buf_free(&text[i]);
	return start;
}

enum sbx_err
advice_no_ids(const struct provider_context *context, struct sbx_why *why)
{
	cleanup_buf struct buf packages = BUF_INIT(128);
	cleanup_buf struct buf plain = BUF_INIT(2 * PATHS_MAX);
	const struct passwd *pw = getpwuid(geteuid());
	uint64_t start = find_free(context), end = start + IDS_ADVISED - 1;

	put_packages(&packages);
	advice_put_plain(context, &plain);
	return sbx_fail(why, SBX_CONFIG,
	    "sandboxes need user ids of their own, and /etc/subuid and "
	    "/etc/subgid give none to %s: as root run '%susermod --add-subuids "
	    "%" PRIu64 "-%" PRIu64 " --add-subgids %" PRIu64 "-%" PRIu64
	    " %s', and try again%s",
	    pw == NULL ? "this account" : pw->pw_name, buf_text(&packages),
	    start, end, start, end, pw == NULL ? "USER" : pw->pw_name,
	    buf_text(&plain));
}

void
advice_put_plain(const struct provider_context *context, struct buf *ret)
{
	if (plain_check(context, NULL) == SBX_OK)
		buf_printf(ret,
		    "; or, without isolation, write 'isolation = none' below "
		    "[local] in %s and run '%s --stop'",
		    context->config_file, context->sandboxd);
}
