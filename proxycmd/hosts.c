/* SPDX-License-Identifier: ISC */
#include "proxycmd/hosts.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/fdpass.h"
#include "proxycmd/second_pass.h"
#include "proxycmd/session.h"

#define HOSTS_HEAD                                                      \
	"# Made by sandbox-ssh from its cache: it may be removed, and " \
	"comes back without what was changed.\n"

#define HOSTS_MODE 0400
#define LISTINGS 32 /* brokers */
#define COMPLETE "all"
#define PARTIAL "some"

bool
hosts_is_user(const char *user)
{
	size_t len = strlen(user);

	if (len == 0 || len >= SESSION_USER_LEN || *user == '-')
		return false;
	/* ssh puts it into paths: a ControlPath with %r must not lead away. */
	if (*user == '/' || strstr(user, "../") != NULL ||
	    strcmp(user, "..") == 0 ||
	    (len > 2 && strcmp(user + len - 3, "/..") == 0))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (user[i] <= ' ' || user[i] >= 0x7f ||
		    strchr("\"'`\\%$;&<>|(){}", user[i]) != NULL)
			return false;
	}
	return true;
}

/* A folder's name as an alias, whatever its suffix. */
static bool
alias_of(const char *name, struct alias *ret)
{
	const char *dot = strchr(name, '.');

	*ret = (struct alias){ .text = "" };
	return dot != NULL && name_is_suffix(name) &&
	    text_copy(VIEW(name, (size_t)(dot - name)), ret->id,
		sizeof(ret->id)) == SBX_OK &&
	    text_copy(VIEW_STR(name), ret->text, sizeof(ret->text)) == SBX_OK;
}

/* The names to write; a name may stand there twice until it is sorted. */
struct known {
	char *alias;
	bool cached; /* there is a session */
};

struct known_list {
	struct known *item;
	size_t count, size;
	enum sbx_err err;
};

static void
free_list(struct known_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i].alias);
	free(list->item);
}

static void
add(struct known_list *list, const char *alias, bool cached)
{
	char *copy = strdup(alias);

	if (list->count == list->size) {
		size_t size = list->size == 0 ? 64 : 2 * list->size;
		struct known *more =
		    reallocarray(list->item, size, sizeof(*more));

		if (more != NULL) {
			list->item = more;
			list->size = size;
		}
	}
	if (copy == NULL || list->count == list->size) {
		free(copy);
		list->err = SBX_NOMEM;
		return;
	}
	list->item[list->count++] = (struct known){ copy, cached };
}

/* Of two with one name, the cached one first. */
static int
by_name(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order = strcmp(x->alias, y->alias);

	return order != 0 ? order : (int)y->cached - (int)x->cached;
}

/* The suffixes whose lists are there. */
struct listing {
	char suffix[NAME_ALIAS_MAX + 1];
	bool complete;
};

struct listings {
	size_t count;
	struct listing item[LISTINGS];
};

static enum sbx_err
read_listed(int cache_fd, const char *name, struct listing *ret,
    struct known_list *list)
{
	cleanup_buf struct buf text = BUF_INIT(HOSTS_MAX);
	struct view rest, line;
	enum sbx_err err = file_read(cache_fd, name, &text, NULL);

	if (err != SBX_OK)
		return err;
	rest = buf_view(&text);
	if (!text_next_line(&rest, &line))
		return SBX_BAD_VALUE;
	ret->complete = view_eq_str(line, COMPLETE);
	while (text_next_line(&rest, &line)) {
		char alias[2 * NAME_ALIAS_MAX];

		if (!name_is_id(line))
			continue;
		(void)snprintf(alias, sizeof(alias), "%.*s.%s", (int)line.len,
		    (const char *)line.p, ret->suffix);
		if (strlen(alias) <= NAME_ALIAS_MAX)
			add(list, alias, /* cached= */ false);
	}
	return SBX_OK;
}

static void
take_listed(int cache_fd, const char *name, struct listings *ret,
    struct known_list *list)
{
	struct listing *next = &ret->item[ret->count];
	const char *suffix = name + strlen(HOSTS_LISTED);

	if (ret->count == LISTINGS || !name_is_suffix(suffix) ||
	    text_copy(VIEW_STR(suffix), next->suffix, sizeof(next->suffix)) !=
		SBX_OK)
		return;
	if (read_listed(cache_fd, name, next, list) == SBX_OK)
		ret->count++;
}

/* Did the broker whose name it is list all it has? */
static bool
is_covered(const struct listings *listings, const char *alias)
{
	const struct listing *best = NULL;

	for (size_t i = 0; i < listings->count; i++) {
		const struct listing *item = &listings->item[i];

		if (name_has_suffix(alias, item->suffix) &&
		    (best == NULL ||
			strlen(item->suffix) > strlen(best->suffix)))
			best = item;
	}
	return best != NULL && best->complete;
}

static void
take_cached(const char *cache, const char *name, uint64_t now,
    const struct listings *listings, struct known_list *list)
{
	struct session session;
	struct alias alias;

	if (alias_of(name, &alias) &&
	    session_read(cache, &alias, &session) == SBX_OK &&
	    now <= session.not_after +
		    (is_covered(listings, name) ? 0 : HOSTS_KEEP))
		add(list, name, /* cached= */ true);
}

static bool
is_listed(const char *name)
{
	return strncmp(name, HOSTS_LISTED, strlen(HOSTS_LISTED)) == 0;
}

/* Lists first: they say which of the cached names still mean something. */
static enum sbx_err
collect(const char *cache, int cache_fd, uint64_t now, struct known_list *ret,
    struct sbx_why *why)
{
	struct listings listings = { .count = 0 };

	for (int round = 0; round < 2; round++) {
		cleanup_dir DIR *dir = NULL;
		const struct dirent *entry;
		int fd =
		    openat(cache_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		dir = fd < 0 ? NULL : fdopendir(fd);
		if (dir == NULL)
			return sbx_fail(why, SBX_IO, "cannot list %s: %s",
			    cache, strerror(errno));
		while ((entry = readdir(dir)) != NULL) {
			const char *name = entry->d_name;

			if (round == 0 && is_listed(name))
				take_listed(cache_fd, name, &listings, ret);
			else if (round == 1)
				take_cached(cache, name, now, &listings, ret);
		}
	}
	return ret->err;
}

/*
 * What is elsewhere may have been made anew since, and its host key tells: see
 * host_key.h.  Of a socket of this machine that is known before.
 */
static void
put_anew(const char *cache, const char *name, const struct session *session,
    struct buf *ret)
{
	if (session_is_local(session))
		buf_put_text(ret, "    KnownHostsCommand none\n");
	else if (session->file[SESSION_CERT] &&
	    !session->file[SESSION_PUBLIC_KEY] &&
	    strpbrk(cache, "\"\\%$\n") == NULL)
		buf_printf(ret, "    IdentityFile \"%s/%s/" CACHE_ANEW "\"\n",
		    cache, name);
}

/* ssh takes # for a comment, and = for a blank, unless they are quoted. */
static void
put_session(const char *cache, const char *name, struct buf *ret)
{
	struct session session;
	struct alias alias;

	if (!alias_of(name, &alias) ||
	    session_read(cache, &alias, &session) != SBX_OK)
		return;
	if (strcmp(session.user, HOSTS_USER_DEFAULT) != 0 &&
	    hosts_is_user(session.user))
		buf_printf(ret, "    User \"%s\"\n", session.user);
	if (session.local_kex)
		buf_put_text(ret, "    KexAlgorithms ^" HOSTS_LOCAL_KEX "\n");
	put_anew(cache, name, &session, ret);
}

/* Before the first Host: for all that ssh is told to read this file for. */
static void
put_fdpass(const char *cache, struct buf *ret)
{
	struct fdpass_note note;

	if (!fdpass_is_off(cache, &note))
		return;
	buf_put_text(ret, "# ");
	text_escape(VIEW_STR(note.cause), SHELL_SAYS, /* quote= */ false, ret);
	buf_put_text(ret, ": see sandbox-proxy doctor.\nProxyUseFdpass no\n");
}

static enum sbx_err
put_hosts(const char *cache, int cache_fd, uint64_t now, struct buf *ret,
    struct sbx_why *why)
{
	__attribute__((cleanup(free_list))) struct known_list list = { 0 };
	enum sbx_err err = collect(cache, cache_fd, now, &list, why);

	if (err != SBX_OK)
		return err;
	if (list.count > 0)
		qsort(list.item, list.count, sizeof(list.item[0]), by_name);
	buf_put_text(ret, HOSTS_HEAD);
	put_fdpass(cache, ret);
	if (second_pass_is_noted(cache_fd))
		buf_put_text(ret, SECOND_PASS_LINE);
	for (size_t i = 0; i < list.count; i++) {
		const struct known *known = &list.item[i];

		if (i > 0 && strcmp(known[-1].alias, known->alias) == 0)
			continue;
		buf_printf(ret, "Host %s\n", known->alias);
		if (known->cached)
			put_session(cache, known->alias, ret);
	}
	return buf_error(ret);
}

enum sbx_err
hosts_put_listed(int cache_fd, const char *suffix, bool complete,
    struct view ids, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(HOSTS_MAX);
	char name[NAME_ALIAS_MAX + sizeof(HOSTS_LISTED)];

	(void)snprintf(name, sizeof(name), HOSTS_LISTED "%s", suffix);
	buf_printf(&text, "%s\n", complete ? COMPLETE : PARTIAL);
	buf_put_view(&text, ids);
	return buf_error(&text) != SBX_OK
	    ? buf_error(&text)
	    : file_write_atomic(cache_fd, name, 0600, buf_view(&text), why);
}

bool
hosts_set_listed(int cache_fd, const char *suffix, const char *id, bool there)
{
	cleanup_close int lock = -1;
	cleanup_buf struct buf old = BUF_INIT(HOSTS_MAX);
	cleanup_buf struct buf text = BUF_INIT(HOSTS_MAX);
	char name[NAME_ALIAS_MAX + sizeof(HOSTS_LISTED)];
	struct view rest, line;

	(void)snprintf(name, sizeof(name), HOSTS_LISTED "%s", suffix);
	if (file_lock(cache_fd, HOSTS_LOCK, /* wait= */ true, &lock, NULL) !=
	    SBX_OK)
		return false;
	if (file_read(cache_fd, name, &old, NULL) != SBX_OK)
		buf_put_text(&old, PARTIAL "\n");
	rest = buf_view(&old);
	/* The first line is no id, though it may look like one. */
	for (size_t i = 0; text_next_line(&rest, &line); i++) {
		if (i > 0 && view_eq_str(line, id))
			continue;
		buf_put_view(&text, line);
		buf_put_text(&text, "\n");
	}
	if (there)
		buf_printf(&text, "%s\n", id);
	return text.len != old.len && buf_error(&text) == SBX_OK &&
	    file_write_atomic(cache_fd, name, 0600, buf_view(&text), NULL) ==
	    SBX_OK;
}

bool
hosts_is_sound(const struct stat *st, uid_t owner)
{
	return S_ISREG(st->st_mode) && st->st_size > 0 &&
	    st->st_mtim.tv_nsec == 0 && (st->st_mode & 07777) == HOSTS_MODE &&
	    st->st_uid == owner;
}

static bool
is_sound(int cache_fd)
{
	struct stat st;

	return fstatat(cache_fd, CACHE_HOSTS, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    hosts_is_sound(&st, geteuid());
}

static enum sbx_err
write_hosts(int cache_fd, struct view text, struct sbx_why *why)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = time(NULL) } };
	enum sbx_err err;

	/* An empty folder of that name, in whose place no file can be put. */
	(void)unlinkat(cache_fd, CACHE_HOSTS, AT_REMOVEDIR);
	err = file_write_atomic(cache_fd, CACHE_HOSTS, HOSTS_MODE, text, why);
	if (err == SBX_OK &&
	    utimensat(cache_fd, CACHE_HOSTS, times, AT_SYMLINK_NOFOLLOW) < 0)
		return sbx_fail(why, SBX_IO, "cannot set the time of %s: %s",
		    CACHE_HOSTS, strerror(errno));
	return err;
}

enum sbx_err
hosts_update(const char *cache, int cache_fd, uint64_t now, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(HOSTS_MAX);
	cleanup_buf struct buf old = BUF_INIT(HOSTS_MAX);
	cleanup_close int lock = -1;
	enum sbx_err err =
	    file_lock(cache_fd, HOSTS_LOCK, /* wait= */ true, &lock, why);

	if (err == SBX_OK)
		err = put_hosts(cache, cache_fd, now, &text, why);
	if (err != SBX_OK)
		return err;
	if (is_sound(cache_fd) &&
	    file_read(cache_fd, CACHE_HOSTS, &old, NULL) == SBX_OK &&
	    view_eq(buf_view(&old), buf_view(&text)))
		return SBX_OK;
	return write_hosts(cache_fd, buf_view(&text), why);
}

bool
hosts_heal(const char *cache, uint64_t now)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (file_open_dir(AT_FDCWD, cache, &fd, NULL) != SBX_OK ||
	    fstatat(fd, CACHE_HOSTS, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    hosts_is_sound(&st, geteuid()))
		return false;
	if (hosts_update(cache, fd, now, NULL) == SBX_OK)
		return true;
	(void)unlinkat(fd, CACHE_HOSTS, 0);
	return false;
}
