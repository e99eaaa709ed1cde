/* SPDX-License-Identifier: ISC */
#include "authkeys/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "authkeys/safepath.h"
#include "common/cleanup.h"

#define OPEN_SAFELY (O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK)

enum sbx_err
state_fail(const struct state *state, const char *verb, const char *name,
    struct sbx_why *why)
{
	int saved = errno;

	return sbx_fail(why, SBX_IO, "cannot %s %s%s%s: %s", verb, state->path,
	    *name == '\0' ? "" : "/", name, strerror(saved));
}

/* of may be a folder or a file; nobody but its owner has any right. */
static enum sbx_err
check(const struct state *state, int fd, mode_t type, const char *name,
    struct sbx_why *why)
{
	const char *slash = *name == '\0' ? "" : "/";
	struct stat st;

	if (fstat(fd, &st) < 0)
		return state_fail(state, "look at", name, why);
	if ((st.st_mode & S_IFMT) != type)
		return sbx_fail(why, SBX_UNTRUSTED, "%s%s%s is not a %s",
		    state->path, slash, name,
		    type == S_IFDIR ? "folder" : "regular file");
	if (st.st_uid != state->owner)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s%s%s belongs to uid %lu, not to uid %lu: %s",
		    state->path, slash, name, (unsigned long)st.st_uid,
		    (unsigned long)state->owner,
		    state->owner == 0 ? "run this as that account"
				      : "change its owner");
	if ((st.st_mode & 077) != 0)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s%s%s is open to others: chmod go= %s%s%s", state->path,
		    slash, name, state->path, slash, name);
	return SBX_OK;
}

/* What open(2) says of a link, a FIFO without reader, a file as a folder. */
static enum sbx_err
fail_open(const struct state *state, const char *name, struct sbx_why *why)
{
	const char *slash = *name == '\0' ? "" : "/";

	/* Of which the caller makes something. */
	if (errno == ENOENT)
		return SBX_NOT_FOUND;
	if (errno == ELOOP || errno == ENOTDIR || errno == ENXIO)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s%s%s is a symbolic link or of the wrong kind: remove it",
		    state->path, slash, name);
	return state_fail(state, "open", name, why);
}

static enum sbx_err
open_folder(const struct state *state, int dir, const char *path,
    const char *name, int *ret, struct sbx_why *why)
{
	cleanup_close int fd =
	    openat(dir, path, O_RDONLY | O_DIRECTORY | OPEN_SAFELY);
	enum sbx_err err;

	if (fd < 0)
		return fail_open(state, name, why);
	err = check(state, fd, S_IFDIR, name, why);
	if (err == SBX_OK)
		*ret = steal_fd(&fd);
	return err;
}

enum sbx_err
state_open(
    const char *path, uid_t owner, struct state *ret, struct sbx_why *why)
{
	cleanup_state struct state state = { -1, path, owner };
	enum sbx_err err =
	    safepath_check_above(path, owner, /* sticky= */ true, why);

	if (err == SBX_OK)
		err = open_folder(&state, AT_FDCWD, path, "", &state.dir, why);
	if (err == SBX_NOT_FOUND)
		return sbx_fail(why, SBX_IO,
		    "%s does not exist: see state_dir in "
		    "sandbox-authkeys.conf(5)",
		    path);
	if (err != SBX_OK)
		return err;
	*ret = state;
	state = STATE_INIT;
	return SBX_OK;
}

void
state_close(struct state *state)
{
	cleanup_close_fn(&state->dir);
	state->dir = -1;
}

enum sbx_err
state_open_folder(const struct state *state, int dir, const char *name,
    int *ret, struct sbx_why *why)
{
	enum sbx_err err = open_folder(state, dir, name, name, ret, why);

	if (err != SBX_NOT_FOUND)
		return err;
	if (mkdirat(dir, name, STATE_MODE) < 0 && errno != EEXIST)
		return state_fail(state, "create", name, why);
	err = open_folder(state, dir, name, name, ret, why);
	return err == SBX_NOT_FOUND ? SBX_IO : err;
}

enum sbx_err
state_read(const struct state *state, int dir, const char *name,
    struct buf *ret, struct sbx_why *why)
{
	cleanup_close int fd = openat(dir, name, O_RDONLY | OPEN_SAFELY);
	enum sbx_err err;

	if (fd < 0)
		return fail_open(state, name, why);
	err = check(state, fd, S_IFREG, name, why);
	if (err == SBX_OK)
		err = file_read_fd(fd, ret);
	return err == SBX_IO ? state_fail(state, "read", name, why) : err;
}

enum sbx_err
state_create(const struct state *state, int dir, const char *name,
    struct view bytes, struct sbx_why *why)
{
	cleanup_close int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | OPEN_SAFELY, 0600);
	enum sbx_err err;

	if (fd < 0)
		return state_fail(state, "create", name, why);
	if (file_write_fd(fd, bytes) == SBX_OK && fsync(fd) == 0)
		return SBX_OK;
	err = state_fail(state, "write", name, why);
	(void)unlinkat(dir, name, 0);
	return err;
}

enum sbx_err
state_sync(
    const struct state *state, int dir, const char *name, struct sbx_why *why)
{
	return fsync(dir) == 0 ? SBX_OK : state_fail(state, "sync", name, why);
}

bool
state_lock(const struct state *state, bool wait)
{
	return flock(state->dir, LOCK_EX | (wait ? 0 : LOCK_NB)) == 0;
}

void
state_unlock(const struct state *state)
{
	(void)flock(state->dir, LOCK_UN);
}
