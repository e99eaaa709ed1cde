/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "broker/providers/local/child.h"
#include "broker/providers/local/loopback.h"
#include "broker/providers/local/overlay.h"
#include "broker/providers/local/rules.h"
#include "common/cleanup.h"
#include "common/file.h"

/* A file for each page is more than anybody needs. */
#define BYTES_PER_INODE 4096
#define OPTIONS_MAX 128

/* Of the host, read-only: what is everybody's to read on it anyway. */
static const char *const shown[] = {
	"/etc/ImageMagick-6",
	"/etc/OpenCL",
	"/etc/R",
	"/etc/X11",
	"/etc/alternatives",
	"/etc/bash.bashrc",
	"/etc/bash_completion",
	"/etc/bash_completion.d",
	"/etc/bindresvport.blacklist",
	"/etc/ca-certificates",
	"/etc/crypto-policies",
	"/etc/csh.cshrc",
	"/etc/csh.login",
	"/etc/debian_version",
	"/etc/dictionaries-common",
	"/etc/dpkg",
	"/etc/emacs",
	"/etc/environment",
	"/etc/ethertypes",
	"/etc/fish",
	"/etc/fonts",
	"/etc/gai.conf",
	"/etc/gdb",
	"/etc/groff",
	"/etc/host.conf",
	"/etc/inputrc",
	"/etc/java",
	"/etc/java-11-openjdk",
	"/etc/java-17-openjdk",
	"/etc/java-21-openjdk",
	"/etc/java-25-openjdk",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/locale.alias",
	"/etc/localtime",
	"/etc/login.defs",
	"/etc/lsb-release",
	"/etc/magic",
	"/etc/magic.mime",
	"/etc/mailcap",
	"/etc/manpath.config",
	"/etc/mime.types",
	"/etc/mke2fs.conf",
	"/etc/nanorc",
	"/etc/networks",
	"/etc/os-release",
	"/etc/papersize",
	"/etc/perl",
	"/etc/php",
	"/etc/pki/ca-trust/extracted",
	"/etc/pki/tls",
	"/etc/profile",
	"/etc/profile.d",
	"/etc/protocols",
	"/etc/python3",
	"/etc/python3.11",
	"/etc/python3.12",
	"/etc/python3.13",
	"/etc/redhat-release",
	"/etc/rpc",
	"/etc/screenrc",
	"/etc/services",
	"/etc/sgml",
	"/etc/shells",
	"/etc/skel",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/terminfo",
	"/etc/texmf",
	"/etc/timezone",
	"/etc/tmux.conf",
	"/etc/vim",
	"/etc/xattr.conf",
	"/etc/xdg",
	"/etc/xml",
	"/etc/zsh",
	/* Programs ask here how many processors there are. */
	"/sys/devices/system/cpu",
	"/sys/devices/system/node",
	"/sys/kernel/mm/transparent_hugepage",
	"/var/cache/fontconfig",
	"/var/cache/man",
	"/var/lib/aspell",
	"/var/lib/dpkg",
	"/var/lib/ghostscript",
	"/var/lib/ieee-data",
	"/var/lib/rpm",
	"/var/lib/sgml-base",
	"/var/lib/texmf",
	"/var/lib/xml-core",
};

/* The folders above path. */
static bool
make_parents(char *path)
{
	for (char *slash = path + sizeof(STAGE_ROOT);
	     (slash = strchr(slash, '/')) != NULL; slash++) {
		bool ok;

		*slash = '\0';
		ok = mkdir(path, 0755) == 0 || errno == EEXIST;
		*slash = '/';
		if (!ok)
			return false;
	}
	return true;
}

/* What the host's mount has must stay: a namespace may not take it away. */
static unsigned long
flags_of(const char *path)
{
	static const struct {
		unsigned long of_statvfs, of_mount;
	} flags[] = {
		{ ST_NOEXEC, MS_NOEXEC },
		{ ST_NOATIME, MS_NOATIME },
		{ ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME },
	};
	unsigned long ret = MS_RDONLY | MS_NOSUID | MS_NODEV;
	struct statvfs st;

	if (statvfs(path, &st) < 0)
		return ret;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if ((st.f_flag & flags[i].of_statvfs) != 0)
			ret |= flags[i].of_mount;
	}
	return ret;
}

/* A file of the host at the same place; false with errno set. */
static bool
show(const char *path)
{
	char inside[PATH_MAX], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	(void)snprintf(inside, sizeof(inside), STAGE_ROOT "%s", path);
	if (lstat(path, &st) < 0)
		return true;
	if (!make_parents(inside))
		return false;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		/* The time zone's name, for one, is what it points to. */
		if (strncmp(target, "/usr/", 5) == 0 ||
		    strncmp(target, "../usr/", 7) == 0)
			return symlink(target, inside) == 0;
		if (stat(path, &st) < 0)
			return true;
	}
	if (S_ISDIR(st.st_mode)) {
		if (mkdir(inside, 0755) < 0)
			return false;
	} else {
		cleanup_close int fd =
		    open(inside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		if (fd < 0)
			return false;
	}
	return mount(path, inside, NULL, MS_BIND | MS_REC, NULL) == 0 &&
	    mount(NULL, inside, NULL, MS_REMOUNT | MS_BIND | flags_of(inside),
		NULL) == 0;
}

static bool
make_tmpfs(const char *path, const char *mode, uint64_t size)
{
	char options[OPTIONS_MAX];

	(void)snprintf(options, sizeof(options),
	    "size=%" PRIu64 ",nr_inodes=%" PRIu64 ",mode=%s", size,
	    size / BYTES_PER_INODE, mode);
	return mkdir(path, 0700) == 0 &&
	    mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

static bool
make_pts(const struct box_limits *limits)
{
	char options[OPTIONS_MAX];

	(void)snprintf(options, sizeof(options),
	    "newinstance,max=%" PRIu64 ",ptmxmode=0666,mode=620", limits->ptys);
	return mkdir(STAGE_PTS, 0700) == 0 &&
	    mount("devpts", STAGE_PTS, "devpts", MS_NOSUID | MS_NOEXEC,
		options) == 0;
}

/*
 * A new mount namespace, and *stage's folders as they are in it: what is bound
 * must be of the same namespace, and only the working folder and the root
 * folder of who makes one come along.  So nobody has to be able to walk to
 * them, and no path is resolved a second time.
 */
static bool
enter(struct stage *stage)
{
	cleanup_close int proc = open("/proc", O_PATH | O_CLOEXEC), own = -1;

	if (stage->root >= 0 && (fchdir(stage->root) < 0 || chroot(".") < 0))
		return false;
	if (stage->box >= 0 && fchdir(stage->box) < 0)
		return false;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return false;
	if (stage->box >= 0)
		stage->box = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (stage->root >= 0)
		stage->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Back to where it has its root. */
	own = openat(proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return own >= 0 && setns(own, CLONE_NEWNS) == 0;
}

static bool
show_box(int box)
{
	return mkdir(STAGE_BOX, 0700) == 0 &&
	    (box < 0 ||
		(fchdir(box) == 0 &&
		    mount(".", STAGE_BOX, NULL, MS_BIND, NULL) == 0));
}

static int
show_host(void)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (!show(shown[i]))
			return child_fail(shown[i]);
	}
	return 0;
}

/* Before anything can send, and nobody in it may take it away. */
static int
set_rules(const struct stage *stage)
{
	static const char *const argv[] = { NFT_PATH, "-f", "-", NULL };
	static const char *const environment[] = { NULL };
	cleanup_buf struct buf script =
	    BUF_INIT(2048 + PROVIDER_ALLOW_MAX * PROVIDER_ALLOW_LEN * 4);
	cleanup_close int fd = memfd_create("rules", MFD_CLOEXEC);
	int status = -1;
	pid_t pid;

	rules_put(stage->network, stage->resolver, &script);
	if (buf_error(&script) != SBX_OK || fd < 0 ||
	    file_write_fd(fd, buf_view(&script)) != SBX_OK ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return child_fail("cannot prepare the network's rules");
	pid = fork();
	if (pid == 0) {
		if (dup2(fd, STDIN_FILENO) == STDIN_FILENO)
			(void)execve(NFT_PATH, (char *const *)argv,
			    (char *const *)environment);
		_exit(child_fail(NFT_PATH));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status == 0 ? 0 : EX_OSERR;
}

int
stage_make(const struct stage *wanted, const struct box_limits *limits)
{
	struct stage stage = *wanted;
	bool own = stage.root >= 0;
	int status;

	(void)umask(022);
	if (!enter(&stage))
		return child_fail("cannot make a mount namespace");
	if (!loopback_up())
		return child_fail("loopback");
	if (stage.network != NULL && stage.network->allow_count > 0) {
		status = set_rules(&stage);
		if (status != 0)
			return status;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV,
		"size=1m,nr_inodes=64,mode=0700") < 0 ||
	    !show_box(stage.box))
		return child_fail("cannot mount the sandbox's folder");
	if (!make_tmpfs(
		own ? STAGE_UPPER : STAGE_ROOT, "0755", limits->tmpfs) ||
	    !make_tmpfs(STAGE_TMP, "1777", limits->tmpfs) ||
	    !make_tmpfs(STAGE_SHM, "1777", limits->tmpfs) || !make_pts(limits))
		return child_fail("cannot make file systems");
	return own ? overlay_make(&stage) : show_host();
}
