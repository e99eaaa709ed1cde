/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define LOCK_PREFIX ".lock-"
#define LOCK_POLL_MS 50

static const char *const files[] = { CACHE_SESSION, CACHE_CERT,
	CACHE_KNOWN_HOSTS, CACHE_PUBLIC_KEY, CACHE_KEY, CACHE_ANEW };

static enum sbx_err
check_folder(int fd, const char *name, struct sbx_why *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return sbx_fail(why, SBX_IO, "%s: %s", name, strerror(errno));
	if (st.st_uid != geteuid())
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s belongs to uid %lu: remove it or change its owner",
		    name, (unsigned long)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return sbx_fail(why, SBX_UNTRUSTED,
		    "%s can be written by others: chmod 700 %s", name, name);
	return SBX_OK;
}

enum sbx_err
place_open(const char *cache, const struct alias *alias, struct place *ret,
    struct sbx_why *why)
{
	cleanup_close int fd = -1;
	enum sbx_err err = file_mkdirs(cache, 0700, why);

	if (err == SBX_OK)
		err = file_open_dir(AT_FDCWD, cache, &fd, why);
	if (err == SBX_OK)
		err = check_folder(fd, cache, why);
	if (err != SBX_OK)
		return err;
	*ret = (struct place){ cache, alias, steal_fd(&fd), -1, "" };
	if (alias != NULL)
		(void)snprintf(ret->lock, sizeof(ret->lock), LOCK_PREFIX "%s",
		    alias->text);
	return SBX_OK;
}

/* The file whose lock we have may be gone, and a new one in its place. */
static bool
is_current(int cache_fd, const char *lock, int lock_fd)
{
	struct stat held, named;

	return fstat(lock_fd, &held) == 0 &&
	    fstatat(cache_fd, lock, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    held.st_ino == named.st_ino;
}

static void
free_lock(int cache_fd, const char *lock, int *lock_fd)
{
	if (*lock_fd < 0)
		return;
	(void)unlinkat(cache_fd, lock, 0);
	(void)close(steal_fd(lock_fd));
}

enum sbx_err
place_lock(struct place *place, unsigned seconds,
    void (*progress)(void *context), void *context, struct sbx_why *why)
{
	const struct timespec pause = { 0, LOCK_POLL_MS * 1000000L };
	unsigned left = seconds * (1000 / LOCK_POLL_MS);

	for (;;) {
		cleanup_close int fd = -1;
		enum sbx_err err = file_lock(place->cache_fd, place->lock,
		    /* wait= */ false, &fd, why);

		if (err == SBX_OK &&
		    is_current(place->cache_fd, place->lock, fd)) {
			place->lock_fd = steal_fd(&fd);
			return SBX_OK;
		}
		if (err != SBX_OK && err != SBX_STATE)
			return err;
		if (left-- == 0)
			return sbx_fail(why, SBX_TIMEOUT,
			    "%s: another program has been at work on it for "
			    "%u seconds",
			    place->alias->text, seconds);
		if (progress != NULL)
			progress(context);
		(void)nanosleep(&pause, NULL);
	}
}

void
place_close(struct place *place)
{
	free_lock(place->cache_fd, place->lock, &place->lock_fd);
	if (place->cache_fd >= 0)
		(void)close(steal_fd(&place->cache_fd));
}

struct stamp
place_stamp(const struct place *place)
{
	char path[NAME_ALIAS_MAX + sizeof("/" CACHE_SESSION)];
	struct stat st;

	(void)snprintf(
	    path, sizeof(path), "%s/" CACHE_SESSION, place->alias->text);
	if (fstatat(place->cache_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return (struct stamp){ 0 };
	return (struct stamp){ st.st_ino, st.st_ctim };
}

bool
stamp_eq(const struct stamp *a, const struct stamp *b)
{
	return a->inode == b->inode && a->changed.tv_sec == b->changed.tv_sec &&
	    a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool
drop(int cache_fd, const char *name)
{
	cleanup_close int dir = -1;

	if (file_open_dir(cache_fd, name, &dir, NULL) != SBX_OK)
		return false;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(dir, files[i], 0);
	(void)unlinkat(cache_fd, name, AT_REMOVEDIR);
	return true;
}

bool
place_drop(const struct place *place)
{
	return drop(place->cache_fd, place->alias->text);
}

static enum sbx_err
put_file(int dir, const char *name, struct view text, struct sbx_why *why)
{
	return file_write_atomic(dir, name, 0600, text, why);
}

/* id_ed25519 -> the user's own private key. */
static enum sbx_err
put_link(int dir, const char *target, struct sbx_why *why)
{
	char temp[sizeof(CACHE_KEY) + 9];

	(void)snprintf(
	    temp, sizeof(temp), CACHE_KEY ".%08x", randombytes_random());
	if (symlinkat(target, dir, temp) < 0 ||
	    renameat(dir, temp, dir, CACHE_KEY) < 0)
		return sbx_fail(why, SBX_IO, "cannot write " CACHE_KEY ": %s",
		    strerror(errno));
	return SBX_OK;
}

static enum sbx_err
put_keys(int dir, const struct credentials *c, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	if (c->key.len > 0)
		err = put_file(dir, CACHE_KEY, c->key, why);
	else if (c->link != NULL)
		err = put_link(dir, c->link, why);
	else
		(void)unlinkat(dir, CACHE_KEY, 0);
	if (err != SBX_OK)
		return err;
	if (c->public_key.len > 0)
		return put_file(dir, CACHE_PUBLIC_KEY, c->public_key, why);
	/* One of an earlier configuration would name another key. */
	(void)unlinkat(dir, CACHE_PUBLIC_KEY, 0);
	return SBX_OK;
}

static enum sbx_err
put_anew(int dir, const struct credentials *c, struct sbx_why *why)
{
	struct stat st;

	if (c->anew.len > 0)
		return put_file(dir, CACHE_ANEW, c->anew, why);
	if (fstatat(dir, CACHE_ANEW, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (uint64_t)st.st_mtim.tv_sec + CACHE_ANEW_KEEP < c->now)
		(void)unlinkat(dir, CACHE_ANEW, 0);
	return SBX_OK;
}

static enum sbx_err
put_all(
    const struct place *place, const struct credentials *c, struct sbx_why *why)
{
	const char *name = place->alias->text;
	cleanup_close int dir = -1;
	bool made = mkdirat(place->cache_fd, name, 0700) == 0;
	enum sbx_err err;

	if (!made && errno != EEXIST)
		return sbx_fail(why, SBX_IO, "cannot create %s/%s: %s",
		    place->cache, name, strerror(errno));
	err = file_open_dir(place->cache_fd, name, &dir, why);
	if (err == SBX_OK)
		err = check_folder(dir, name, why);
	if (err == SBX_OK)
		err = put_keys(dir, c, why);
	if (err == SBX_OK && c->certificate.len > 0)
		err = put_file(dir, CACHE_CERT, c->certificate, why);
	else if (err == SBX_OK)
		(void)unlinkat(dir, CACHE_CERT, 0);
	if (err == SBX_OK)
		err = put_anew(dir, c, why);
	if (err == SBX_OK)
		err = put_file(dir, CACHE_KNOWN_HOSTS, c->known_hosts, why);
	if (err == SBX_OK)
		err = put_file(dir, CACHE_SESSION, c->session, why);
	if (err != SBX_OK && made)
		(void)place_drop(place);
	return err;
}

enum sbx_err
place_put(const struct place *place, const struct credentials *credentials,
    struct sbx_why *why)
{
	sigset_t ending, before;
	enum sbx_err err;

	(void)sigemptyset(&ending);
	(void)sigaddset(&ending, SIGINT);
	(void)sigaddset(&ending, SIGTERM);
	(void)sigaddset(&ending, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &ending, &before);
	err = put_all(place, credentials, why);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

enum sbx_err
place_put_session(const struct place *place, const struct session *session,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(SESSION_FILE_MAX);
	cleanup_close int dir = -1;
	enum sbx_err err =
	    file_open_dir(place->cache_fd, place->alias->text, &dir, why);

	session_put(session, &text);
	if (err == SBX_OK)
		err = buf_error(&text);
	if (err == SBX_OK)
		err = check_folder(dir, place->alias->text, why);
	return err != SBX_OK
	    ? err
	    : put_file(dir, CACHE_SESSION, buf_view(&text), why);
}

static bool
is_over(const char *cache, const struct alias *alias, uint64_t when)
{
	struct session session;

	return session_read(cache, alias, &session) == SBX_OK &&
	    session.not_after < when;
}

void
place_prune(const struct place *place, uint64_t now, uint64_t keep)
{
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	int fd =
	    openat(place->cache_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || now < keep)
		return;
	dir = fdopendir(fd);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct alias alias = { .text = "" };
		char lock[sizeof(place->lock)];
		cleanup_close int held = -1;

		if (!name_is_suffix(entry->d_name) ||
		    text_copy(VIEW_STR(entry->d_name), alias.text,
			sizeof(alias.text)) != SBX_OK ||
		    text_copy(VIEW(alias.text, strcspn(alias.text, ".")),
			alias.id, sizeof(alias.id)) != SBX_OK ||
		    strcmp(alias.text, place->alias->text) == 0 ||
		    !is_over(place->cache, &alias, now - keep))
			continue;
		(void)snprintf(
		    lock, sizeof(lock), LOCK_PREFIX "%s", alias.text);
		if (file_lock(place->cache_fd, lock, /* wait= */ false, &held,
			NULL) != SBX_OK ||
		    !is_current(place->cache_fd, lock, held))
			continue;
		/* Again, now that nobody can renew it. */
		if (is_over(place->cache, &alias, now - keep))
			(void)drop(place->cache_fd, alias.text);
		free_lock(place->cache_fd, lock, &held);
	}
}
