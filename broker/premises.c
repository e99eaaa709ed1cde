/* SPDX-License-Identifier: ISC */
#include "broker/premises.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/keyfile.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define LOCK "sandboxd.lock"

/* Root's runtime and state are for others to pass through. */
static mode_t
shared_mode(const struct broker_settings *s)
{
	return s->own_uid == 0 ? 0755 : 0700;
}

static enum sbx_err
parent_of(const char *path, char ret[static PATHS_MAX])
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	if (len >= PATHS_MAX)
		return SBX_TOO_LARGE;
	memcpy(ret, path, len);
	ret[len] = '\0';
	if (len == 0)
		(void)snprintf(ret, PATHS_MAX, "/");
	return SBX_OK;
}

/* What there is of path, as it really is: the rest is still to be made. */
static char *
real_beginning(const char *path)
{
	cleanup_free char *beginning = strdup(path);
	char *real = NULL, *slash;

	while (beginning != NULL && real == NULL && *beginning != '\0') {
		real = realpath(beginning, NULL);
		slash = strrchr(beginning, '/');
		*slash = '\0';
	}
	return real == NULL ? strdup("/") : real;
}

/*
 * Root's broker has processes without root's rights, and callers, who must
 * get there: nothing else would say which folder is in their way.
 */
static enum sbx_err
check_search(
    const struct broker_settings *s, const char *path, struct sbx_why *why)
{
	cleanup_free char *real = real_beginning(path);
	struct stat st;

	if (real == NULL)
		return SBX_NOMEM;
	while (s->own_uid == 0 && *real != '\0') {
		if (stat(real, &st) == 0 && (st.st_mode & S_IXOTH) == 0)
			return sbx_fail(why, SBX_CONFIG,
			    "%.160s: other users cannot search the folder "
			    "%.160s (mode %04o), and root's broker works for "
			    "them: name another place, or chmod o+x it",
			    path, real, st.st_mode & 07777U);
		*strrchr(real, '/') = '\0';
	}
	return SBX_OK;
}

/* Of an earlier uid_range: only what http itself can have put there. */
static void
take_over(int dir, uid_t from, uid_t to)
{
	cleanup_dir DIR *entries = NULL;
	const struct dirent *entry;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	entries = fd < 0 ? NULL : fdopendir(fd);
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		cleanup_close int file = openat(dir, entry->d_name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_nlink == 1 && st.st_uid == from)
			(void)!fchown(file, to, (gid_t)to);
	}
}

/* The database is http's alone, whose uid that is. */
static enum sbx_err
make_db_folder(const struct broker_settings *s, struct sbx_why *why)
{
	uid_t owner = (uid_t)(s->uid_range.start + UID_OFFSET_HTTP);
	cleanup_close int fd = -1;
	char path[PATHS_MAX];
	struct stat st;
	enum sbx_err err = paths_join(s->state_dir, "db", path);

	if (err == SBX_OK)
		err = file_mkdirs(path, 0700, why);
	if (err == SBX_OK)
		err = file_open_dir(AT_FDCWD, path, &fd, why);
	if (err != SBX_OK || s->own_uid != 0)
		return err;
	if (fstat(fd, &st) == 0 && st.st_uid != owner && st.st_uid != 0)
		take_over(fd, st.st_uid, owner);
	if (fchown(fd, owner, (gid_t)owner) < 0 || fchmod(fd, 0700) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot change %s: %s", path, strerror(errno));
	return SBX_OK;
}

static enum sbx_err
make_folders(const struct broker_settings *s, struct sbx_why *why)
{
	char socket_dir[PATHS_MAX], key_dir[PATHS_MAX];
	enum sbx_err err = parent_of(s->socket, socket_dir);

	if (err == SBX_OK)
		err = parent_of(s->ca_key, key_dir);
	if (err == SBX_OK)
		err = check_search(s, s->state_dir, why);
	if (err == SBX_OK)
		err = check_search(s, s->runtime_dir, why);
	if (err == SBX_OK)
		err = check_search(s, socket_dir, why);
	if (err == SBX_OK)
		err = file_mkdirs(s->state_dir, shared_mode(s), why);
	if (err == SBX_OK)
		err = file_mkdirs(s->runtime_dir, shared_mode(s), why);
	if (err == SBX_OK)
		err = file_mkdirs(socket_dir, shared_mode(s), why);
	if (err == SBX_OK && !s->ca_key_named)
		err = file_mkdirs(key_dir, 0700, why);
	return err != SBX_OK ? err : make_db_folder(s, why);
}

/* For premises_holder alone: without it the lock is as good. */
static void
sign_lock(int fd)
{
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
		return;
}

/* Whoever died without giving it up has left a pid that may be anybody's. */
static bool
is_held(const char *lock)
{
	cleanup_close int fd = -1;

	return file_lock(AT_FDCWD, lock, /* wait= */ false, &fd, NULL) ==
	    SBX_STATE;
}

pid_t
premises_holder(const char *state_dir)
{
	cleanup_buf struct buf text = BUF_INIT(32);
	char path[PATHS_MAX];
	uint64_t pid;

	if (paths_join(state_dir, LOCK, path) != SBX_OK ||
	    access(path, F_OK) < 0 || !is_held(path) ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK || text.len == 0 ||
	    text.p[text.len - 1] != '\n')
		return 0;
	text.p[text.len - 1] = '\0';
	return text_uint(buf_text(&text), 2, INT32_MAX, &pid) == SBX_OK
	    ? (pid_t)pid
	    : 0;
}

static enum sbx_err
take_locks(
    const struct broker_settings *s, struct premises *ret, struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err = paths_join(s->state_dir, LOCK, path);

	if (err == SBX_OK)
		err = file_lock(
		    AT_FDCWD, path, /* wait= */ false, &ret->state_lock, why);
	if (err == SBX_STATE)
		return sbx_fail(why, SBX_STATE,
		    "another sandboxd already runs for %s", s->state_dir);
	if (err != SBX_OK)
		return err;
	sign_lock(ret->state_lock);
	if ((size_t)snprintf(path, sizeof(path), "%s.lock", s->socket) >=
	    sizeof(path))
		return SBX_TOO_LARGE;
	err = file_lock(
	    AT_FDCWD, path, /* wait= */ false, &ret->socket_lock, why);
	if (err == SBX_STATE)
		return sbx_fail(why, SBX_STATE,
		    "another sandboxd already listens at %s", s->socket);
	return err;
}

/* The public half first, so that a key is never without it. */
static enum sbx_err
write_key(
    int dir, const char *name, const struct keypair *pair, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf line = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf public_name = BUF_INIT(PATHS_MAX);
	enum sbx_err err;

	keyfile_put(pair, "sandbox-ssh CA", &text);
	key_put_ed25519(pair->public, &blob);
	key_put_line(buf_view(&blob), "sandbox-ssh CA", &line);
	buf_put_text(&line, "\n");
	buf_printf(&public_name, "%s.pub", name);
	if (buf_error(&text) != SBX_OK || buf_error(&line) != SBX_OK ||
	    buf_error(&public_name) != SBX_OK)
		return SBX_NOMEM;
	err = file_write_atomic(
	    dir, buf_text(&public_name), 0644, buf_view(&line), why);
	if (err == SBX_OK)
		err = file_write_atomic(dir, name, 0600, buf_view(&text), why);
	return err;
}

/*
 * A new one shuts everybody out of the sandboxes that trust the old one: it
 * is made where nothing was before, never because a name is wrong or a file
 * has gone.
 */
static enum sbx_err
may_make_ca_key(const struct broker_settings *s, struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err = paths_join(s->state_dir, "db/sandboxd.db", path);

	if (s->ca_key_named)
		return sbx_fail(why, SBX_CONFIG,
		    "key = %s in [ca]: there is no such file: correct the "
		    "name, or make one with sandbox-cert ca-init %s",
		    s->ca_key, s->ca_key);
	if (err == SBX_OK && access(path, F_OK) == 0)
		err = sbx_fail(why, SBX_CONFIG,
		    "the CA key %s has gone, and the sandboxes of %s trust no "
		    "other: bring it back, or make a new one with "
		    "sandbox-cert ca-init %s",
		    s->ca_key, s->state_dir, s->ca_key);
	return err;
}

/* On the first start.  Only the signer reads it again. */
static enum sbx_err
make_ca_key(const struct broker_settings *s, struct sbx_why *why)
{
	cleanup_keypair struct keypair pair = { 0 };
	cleanup_close int dir = -1;
	char folder[PATHS_MAX];
	enum sbx_err err;

	if (access(s->ca_key, F_OK) == 0)
		return SBX_OK;
	if (errno != ENOENT && errno != ENOTDIR)
		return sbx_fail(why, SBX_IO, "cannot look for %s: %s",
		    s->ca_key, strerror(errno));
	err = may_make_ca_key(s, why);
	if (err != SBX_OK)
		return err;
	err = parent_of(s->ca_key, folder);
	if (err == SBX_OK)
		err = file_open_dir(AT_FDCWD, folder, &dir, why);
	if (err != SBX_OK)
		return err;
	keypair_generate(&pair);
	return write_key(dir, strrchr(s->ca_key, '/') + 1, &pair, why);
}

enum sbx_err
premises_mend(const struct broker_settings *settings, struct sbx_why *why)
{
	return make_folders(settings, why);
}

enum sbx_err
premises_take(const struct broker_settings *settings, struct premises *ret,
    struct sbx_why *why)
{
	struct premises taken = PREMISES_INIT;
	enum sbx_err err = make_folders(settings, why);

	if (err == SBX_OK)
		err = take_locks(settings, &taken, why);
	if (err == SBX_OK)
		err = make_ca_key(settings, why);
	if (err != SBX_OK)
		premises_leave(&taken);
	*ret = taken;
	return err;
}

void
premises_leave(struct premises *premises)
{
	if (premises->socket_lock >= 0)
		(void)close(steal_fd(&premises->socket_lock));
	if (premises->state_lock >= 0) {
		(void)!ftruncate(premises->state_lock, 0);
		(void)close(steal_fd(&premises->state_lock));
	}
}
