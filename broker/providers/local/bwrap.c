/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/bwrap.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "broker/providers/local/child.h"
#include "broker/providers/local/filter.h"
#include "broker/providers/local/stage.h"
#include "common/cleanup.h"
#include "common/file.h"

static const char *const options[] = {
	BWRAP_PATH,
	"--as-pid-1",
	"--unshare-pid",
	"--unshare-ipc",
	"--unshare-uts",
	"--unshare-cgroup-try",
	/* What sandbox-init and sshd need of the root of a namespace. */
	"--cap-drop",
	"ALL",
	"--cap-add",
	"CAP_CHOWN",
	"--cap-add",
	"CAP_DAC_OVERRIDE",
	"--cap-add",
	"CAP_FOWNER",
	"--cap-add",
	"CAP_KILL",
	"--cap-add",
	"CAP_SETGID",
	"--cap-add",
	"CAP_SETUID",
	"--cap-add",
	"CAP_SYS_CHROOT",
	/* To see what its processes hold open (init/measure). */
	"--cap-add",
	"CAP_SYS_PTRACE",
	"--clearenv",
	"--setenv",
	"PATH",
	"/usr/sbin:/usr/bin:/sbin:/bin",
};

struct folder {
	const char *mode;
	const char *path;
};

/* Without a row here bwrap would make those above others 0700. */
static const struct folder folders[] = {
	{ "0755", "/etc" },
	{ "0755", "/etc/ssl" },
	{ "0755", "/home" },
	{ "0755", "/media" },
	{ "0755", "/mnt" },
	{ "0755", "/opt" },
	{ "0700", "/root" },
	{ "0755", "/run" },
	{ "0755", "/run/sshd" },
	{ "1777", "/run/lock" },
	{ "0755", "/run/user" },
	{ "0755", "/srv" },
	{ "0755", "/var" },
	{ "0755", "/var/backups" },
	{ "0755", "/var/cache" },
	{ "0755", "/var/lib" },
	{ "0755", "/var/local" },
	{ "0755", "/var/log" },
	{ "0755", "/var/mail" },
	{ "0755", "/var/opt" },
	{ "0755", "/var/spool" },
	{ "1777", "/var/tmp" },
};

static const struct {
	const char *target;
	const char *path;
} links[] = {
	{ "../proc/self/mounts", "/etc/mtab" },
	{ "/run/lock", "/var/lock" },
	{ "../run", "/var/run" },
	{ "../mail", "/var/spool/mail" },
};

/* Folders of a merged /usr are links to it, elsewhere folders. */
static const char *const roots[] = { "/bin", "/sbin", "/lib", "/lib32",
	"/lib64", "/libx32" };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void
bwrap_add(struct bwrap *b, const char *word)
{
	if (b->argc == BWRAP_ARGS_MAX) {
		b->err = SBX_INTERNAL;
		return;
	}
	b->offset[b->argc++] = b->words.len;
	buf_put(&b->words, word, strlen(word) + 1);
}

static void
inherit(struct bwrap *b, int fd, bool own)
{
	if (b->fd_count == BWRAP_FDS_MAX) {
		b->err = SBX_INTERNAL;
		if (own)
			(void)close(fd);
		return;
	}
	b->fd[b->fd_count] = fd;
	b->own[b->fd_count++] = own;
}

static void
add_number(struct bwrap *b, int number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", number);
	bwrap_add(b, text);
}

void
bwrap_inherit(struct bwrap *b, int fd)
{
	inherit(b, fd, /* own= */ false);
}

void
bwrap_add_fd(struct bwrap *b, int fd)
{
	bwrap_inherit(b, fd);
	add_number(b, fd);
}

void
bwrap_folder(struct bwrap *b, const char *mode, const char *path)
{
	bwrap_add(b, "--perms");
	bwrap_add(b, mode);
	bwrap_add(b, "--dir");
	bwrap_add(b, path);
}

static void
add_file(struct bwrap *b, const char *mode, const char *path, int fd)
{
	inherit(b, fd, /* own= */ true);
	bwrap_add(b, "--perms");
	bwrap_add(b, mode);
	bwrap_add(b, "--file");
	add_number(b, fd);
	bwrap_add(b, path);
}

/* A file in memory; -1, and b->err is set. */
static int
hold(struct bwrap *b, const char *what, struct view bytes)
{
	cleanup_close int fd = memfd_create("sandbox-file", MFD_CLOEXEC);

	if (fd < 0 || file_write_fd(fd, bytes) != SBX_OK ||
	    lseek(fd, 0, SEEK_SET) < 0) {
		b->err = sbx_fail(&b->why, SBX_IO, "cannot prepare %s: %s",
		    what, strerror(errno));
		return -1;
	}
	return steal_fd(&fd);
}

void
bwrap_text(
    struct bwrap *b, const char *mode, const char *path, struct view text)
{
	int fd = hold(b, path, text);

	if (fd >= 0)
		add_file(b, mode, path, fd);
}

static void
add_filter(struct bwrap *b)
{
	cleanup_buf struct buf filter = BUF_INIT(FILTER_BYTES_MAX);
	int fd;

	filter_put(&filter);
	fd = hold(b, "the filter of system calls", buf_view(&filter));
	if (buf_error(&filter) != SBX_OK)
		b->err = buf_error(&filter);
	if (fd < 0)
		return;
	inherit(b, fd, /* own= */ true);
	bwrap_add(b, "--seccomp");
	add_number(b, fd);
}

void
bwrap_copy(
    struct bwrap *b, const char *mode, const char *path, const char *host_path)
{
	int fd = open(host_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		b->err = sbx_fail(&b->why, SBX_UNAVAILABLE,
		    "cannot open %s: %s: install sandbox-ssh completely",
		    host_path, strerror(errno));
		return;
	}
	add_file(b, mode, path, fd);
}

void
bwrap_add_three(
    struct bwrap *b, const char *option, const char *from, const char *to)
{
	bwrap_add(b, option);
	bwrap_add(b, from);
	bwrap_add(b, to);
}

static void
add_root(struct bwrap *b, const char *path)
{
	char target[256];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0)
		return;
	if (!S_ISLNK(st.st_mode)) {
		bwrap_add_three(b, "--ro-bind", path, path);
		return;
	}
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	bwrap_add_three(b, "--symlink", target, path);
}

static void
add_host(struct bwrap *ret)
{
	for (size_t i = 0; i < COUNT(folders); i++)
		bwrap_folder(ret, folders[i].mode, folders[i].path);
	bwrap_add_three(ret, "--ro-bind", "/usr", "/usr");
	for (size_t i = 0; i < COUNT(roots); i++)
		add_root(ret, roots[i]);
	for (size_t i = 0; i < COUNT(links); i++)
		bwrap_add_three(
		    ret, "--symlink", links[i].target, links[i].path);
}

void
bwrap_begin(struct bwrap *ret, const struct stage *stage)
{
	*ret = (struct bwrap){ .words = BUF_INIT(BWRAP_TEXT_MAX) };
	for (size_t i = 0; i < COUNT(options); i++)
		bwrap_add(ret, options[i]);
	add_filter(ret);
	bwrap_add_three(ret, "--bind", STAGE_ROOT, "/");
	if (stage->root < 0)
		add_host(ret);
	bwrap_add(ret, "--proc");
	bwrap_add(ret, "/proc");
	bwrap_add(ret, "--dev");
	bwrap_add(ret, "/dev");
	bwrap_add_three(ret, "--dev-bind", STAGE_PTS, "/dev/pts");
	bwrap_add_three(ret, "--bind", STAGE_SHM, "/dev/shm");
	bwrap_add_three(ret, "--bind", STAGE_TMP, "/tmp");
}

void
bwrap_free(struct bwrap *b)
{
	for (size_t i = 0; i < b->fd_count; i++) {
		if (b->own[i])
			(void)close(b->fd[i]);
	}
	b->fd_count = 0;
	buf_free(&b->words);
}

enum sbx_err
bwrap_argv(struct bwrap *b, char *const **ret, struct sbx_why *why)
{
	if (b->err == SBX_OK)
		b->err = buf_error(&b->words);
	if (b->err != SBX_OK)
		return sbx_fail(
		    why, b->err, "%s", sbx_why_text(&b->why, b->err));
	if (access(BWRAP_PATH, X_OK) < 0)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "%s is missing; on Debian: apt-get install bubblewrap",
		    BWRAP_PATH);
	for (size_t i = 0; i < b->argc; i++)
		b->argv[i] = (char *)b->words.p + b->offset[i];
	b->argv[b->argc] = NULL;
	*ret = b->argv;
	return SBX_OK;
}

int
bwrap_exec(const struct bwrap *b)
{
	for (size_t i = 0; i < b->fd_count; i++) {
		if (fcntl(b->fd[i], F_SETFD, 0) < 0)
			return child_fail("descriptor");
	}
	(void)execv(b->argv[0], b->argv);
	(void)child_fail(b->argv[0]);
	return CHILD_EXEC_FAILED;
}
