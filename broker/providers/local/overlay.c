/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/providers/local/child.h"
#include "broker/providers/local/inside.h"
#include "broker/providers/local/stage.h"
#include "broker/providers/local/text.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define ACCOUNTS_MAX (1024 * 1024)
#define SMALL_MAX 1024

#define OVER STAGE_UPPER "/over" /* what is written */
#define FILES STAGE_UPPER "/etc" /* files that are mounted over its own */
#define RUN STAGE_UPPER "/run"
#define HOMES STAGE_UPPER "/home"

/* Where something is mounted: a link there would lead it elsewhere. */
static const char *const places[] = { "dev", "etc", "home", "proc", "run",
	"tmp" };

static int
open_folder(int dir, const char *name)
{
	return openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int
check_places(int root)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct stat st;

		if (fstatat(root, places[i], &st, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno == ENOENT && mkdirat(root, places[i], 0755) == 0)
			continue;
		if (fstatat(root, places[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return child_fail(places[i]);
		if (!S_ISDIR(st.st_mode)) {
			errno = ENOTDIR;
			(void)dprintf(STDERR_FILENO,
			    "/%s in the root is no folder\n", places[i]);
			return EX_DATAERR;
		}
	}
	return 0;
}

static bool
bind(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_BIND, NULL) == 0;
}

/* Its own, or above those that it has. */
static bool
put_home(int root)
{
	cleanup_close int home = open_folder(root, "home");
	struct stat st;

	if (home < 0)
		return false;
	if (mkdirat(home, INSIDE_USER, 0755) == 0 ||
	    (fstatat(home, INSIDE_USER, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode)))
		return true;
	return bind(HOMES, STAGE_ROOT "/home");
}

/*
 * /etc/NAME is this from now on.  In a root whose /etc is the host's users'
 * only what is a file there can be covered; the rest it goes without.
 */
static bool
put_file(int etc, const char *name, struct view text)
{
	char from[64], to[64];
	cleanup_close int fd = -1, spot = -1;
	struct stat st;

	(void)snprintf(from, sizeof(from), FILES "/%s", name);
	(void)snprintf(to, sizeof(to), STAGE_ROOT "/etc/%s", name);
	fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || file_write_fd(fd, text) != SBX_OK)
		return false;
	if (fstatat(etc, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode)) {
		(void)unlinkat(etc, name, 0);
		spot = openat(etc, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (spot < 0)
			return true;
	}
	return bind(from, to);
}

/* Is there a line whose third field is LOCAL_UID_SANDBOX? */
static bool
has_account(struct view text)
{
	struct view line;

	while (text_next_line(&text, &line)) {
		const uint8_t *at = line.p, *end = line.p + line.len;

		for (int field = 0; field < 2 && at != NULL; field++) {
			at = memchr(at, ':', (size_t)(end - at));
			at = at == NULL ? NULL : at + 1;
		}
		if (at != NULL && end - at >= 5 && memcmp(at, "1000:", 5) == 0)
			return true;
	}
	return false;
}

/* The root's own accounts, and the one that logs in. */
static bool
put_accounts(int etc, const char *name, const char *first, const char *line)
{
	cleanup_buf struct buf text = BUF_INIT(ACCOUNTS_MAX);

	if (file_read(etc, name, &text, NULL) != SBX_OK) {
		buf_reset(&text);
		buf_put_text(&text, first);
	}
	if (has_account(buf_view(&text)))
		return true;
	if (text.len > 0 && text.p[text.len - 1] != '\n')
		buf_put_text(&text, "\n");
	buf_put_text(&text, line);
	return buf_error(&text) == SBX_OK &&
	    put_file(etc, name, buf_view(&text));
}

static bool
put_files(int root, const struct stage *stage)
{
	cleanup_buf struct buf text = BUF_INIT(SMALL_MAX);
	cleanup_close int etc = open_folder(root, "etc");
	bool ok = etc >= 0;

	buf_printf(&text, "%s\n", stage->id);
	ok = ok && put_file(etc, "hostname", buf_view(&text));
	buf_reset(&text);
	text_hosts(stage->id, &text);
	ok = ok && put_file(etc, "hosts", buf_view(&text));
	buf_reset(&text);
	text_resolv_conf(stage->resolver, &text);
	ok = ok && put_file(etc, "resolv.conf", buf_view(&text));
	buf_reset(&text);
	buf_printf(&text,
	    INSIDE_USER ":x:1000:1000:" INSIDE_USER ":" INSIDE_HOME ":%s\n",
	    faccessat(root, "bin/bash", F_OK, 0) == 0 ? "/bin/bash"
						      : "/bin/sh");
	return ok &&
	    put_accounts(etc, "passwd", "root:x:0:0:root:/root:/bin/sh\n",
		buf_text(&text)) &&
	    put_accounts(etc, "group", "root:x:0:\n", INSIDE_USER ":x:1000:\n");
}

int
overlay_make(const struct stage *stage)
{
	cleanup_close int merged = -1;
	int status;

	if (mkdir(OVER, 0755) < 0 || mkdir(STAGE_UPPER "/work", 0700) < 0 ||
	    mkdir(FILES, 0755) < 0 || mkdir(RUN, 0755) < 0 ||
	    mkdir(RUN "/user", 0755) < 0 || mkdir(RUN "/lock", 0755) < 0 ||
	    chmod(RUN "/lock", 01777) < 0 || mkdir(HOMES, 0755) < 0 ||
	    mkdir(HOMES "/" INSIDE_USER, 0755) < 0 ||
	    mkdir(STAGE_ROOT, 0755) < 0 || fchdir(stage->root) < 0)
		return child_fail("cannot make folders for the root");
	if (mount("overlay", STAGE_ROOT, "overlay", MS_NOSUID | MS_NODEV,
		"lowerdir=.,upperdir=" OVER ",workdir=" STAGE_UPPER
		"/work,userxattr") < 0)
		return child_fail("cannot mount the root");
	merged = open_folder(AT_FDCWD, STAGE_ROOT);
	if (merged < 0)
		return child_fail("cannot open the root");
	status = check_places(merged);
	if (status != 0)
		return status;
	if (!bind(RUN, STAGE_ROOT "/run") || !put_home(merged) ||
	    !put_files(merged, stage))
		return child_fail("cannot prepare the root");
	return 0;
}
