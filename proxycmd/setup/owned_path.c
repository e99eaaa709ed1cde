/* SPDX-License-Identifier: ISC */
#include "proxycmd/setup/owned_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#define LINKS_MAX 40 /* as the kernel has it */

/* The way so far, and what is still to be walked. */
struct walk {
	char done[PATH_MAX];
	char rest[2 * PATH_MAX];
	char missing[2 * PATH_MAX]; /* behind what is not there */
	unsigned links;
};

static enum sbx_err
too_long(struct sbx_why *why)
{
	return sbx_fail(why, SBX_IO, "%s", strerror(ENAMETOOLONG));
}

/* Put the target before the rest; it starts anew if it is absolute. */
static enum sbx_err
follow(struct walk *w, const char *name, struct sbx_why *why)
{
	char target[PATH_MAX], rest[sizeof(w->rest)];
	ssize_t len = readlink(w->done, target, sizeof(target) - 1);

	if (len < 0 || ++w->links > LINKS_MAX)
		return sbx_fail(why, SBX_IO, "cannot follow %s: %s", w->done,
		    strerror(len < 0 ? errno : ELOOP));
	target[len] = '\0';
	memcpy(rest, w->rest, sizeof(rest));
	if (snprintf(w->rest, sizeof(w->rest), "%s/%s", target, rest) >=
	    (int)sizeof(w->rest))
		return too_long(why);
	w->done[*target == '/' ? 0 : strlen(w->done) - strlen(name) - 1] = '\0';
	return SBX_OK;
}

/* Move the first name of the rest to the way, and judge what it is. */
static enum sbx_err
step(struct walk *w, uid_t owner, struct sbx_why *why)
{
	size_t len = strcspn(w->rest, "/"), before = strlen(w->done);
	char name[NAME_MAX + 1];
	struct stat st;

	if (len > NAME_MAX || before + 1 + len >= sizeof(w->done))
		return too_long(why);
	memcpy(name, w->rest, len);
	name[len] = '\0';
	memmove(w->rest, w->rest + len, strlen(w->rest + len) + 1);
	(void)snprintf(w->done + before, sizeof(w->done) - before, "/%s", name);
	if (lstat(w->done, &st) < 0) {
		memcpy(w->missing, w->rest, sizeof(w->missing));
		*w->rest = '\0';
		return errno == ENOENT
		    ? SBX_OK
		    : sbx_fail(why, SBX_IO, "cannot look at %s: %s", w->done,
			  strerror(errno));
	}
	if ((S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)) && st.st_uid != 0 &&
	    st.st_uid != owner)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s belongs to uid %lu: run it as that account", w->done,
		    (unsigned long)st.st_uid);
	return S_ISLNK(st.st_mode) ? follow(w, name, why) : SBX_OK;
}

enum sbx_err
owned_path_check(const char *path, uid_t owner, char ret_real[static PATH_MAX],
    struct sbx_why *why)
{
	struct walk w = { .done = "" };
	enum sbx_err err = SBX_OK;

	if (snprintf(w.rest, sizeof(w.rest), "%s", path) >= PATH_MAX)
		return too_long(why);
	while (err == SBX_OK) {
		size_t slashes = strspn(w.rest, "/");

		memmove(w.rest, w.rest + slashes, strlen(w.rest + slashes) + 1);
		if (*w.rest == '\0')
			break;
		err = step(&w, owner, why);
	}
	/* Behind what is missing there can be no links. */
	if (err == SBX_OK &&
	    snprintf(ret_real, PATH_MAX, "%s%s", w.done, w.missing) >= PATH_MAX)
		return too_long(why);
	return err;
}

/* The folder called name in fd, which is closed, made before if need be. */
static enum sbx_err
enter(const char *path, const char *name, uid_t owner, bool make, int *fd,
    struct sbx_why *why)
{
	cleanup_close int from = steal_fd(fd);
	cleanup_close int next = -1;
	struct stat st;

	if (make && mkdirat(from, name, 0700) < 0 && errno != EEXIST)
		return sbx_fail(why, SBX_IO, "cannot create folder %s: %s",
		    path, strerror(errno));
	next =
	    openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 && errno == ENOENT)
		return SBX_NOT_FOUND;
	if (next < 0 || fstat(next, &st) < 0)
		return sbx_fail(why, SBX_UNTRUSTED, "cannot open folder %s: %s",
		    path, strerror(errno));
	if (st.st_uid != 0 && st.st_uid != owner)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "a folder of %s belongs to uid %lu: run it as that account",
		    path, (unsigned long)st.st_uid);
	*fd = steal_fd(&next);
	return SBX_OK;
}

enum sbx_err
owned_path_open(
    const char *real, uid_t owner, bool make, int *ret_fd, struct sbx_why *why)
{
	cleanup_close int fd =
	    open("/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char copy[PATH_MAX], *rest = copy, *name;
	enum sbx_err err = SBX_OK;

	if (fd < 0 ||
	    snprintf(copy, sizeof(copy), "%s", real) >= (int)sizeof(copy))
		return too_long(why);
	for (size_t len = strlen(copy); len > 0 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	while (err == SBX_OK && (name = strsep(&rest, "/")) != NULL) {
		if (*name != '\0')
			err = enter(
			    real, name, owner, make && rest == NULL, &fd, why);
	}
	if (err == SBX_OK)
		*ret_fd = steal_fd(&fd);
	return err;
}
