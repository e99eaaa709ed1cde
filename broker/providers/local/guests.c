/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/guests.h"

#include <sys/acl.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "broker/providers/local/userns.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/groups.h"
#include "common/text.h"

#define CHILDREN_MAX (1024 * 1024) /* of /proc */
#define DEPTH_MAX 256		   /* of processes below a connection */
#define END_MS 2000
#define PROC_PATH 64

enum sbx_err
guests_admit(const char *path, const struct provider_audience *audience,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(4096);
	acl_t list;
	int done;

	buf_put_text(&text, "u::rw,g::-,o::-");
	if (audience->count > 0)
		buf_put_text(&text, ",m::rw");
	for (size_t i = 0; i < audience->count; i++)
		buf_printf(&text, ",%c:%lu:rw",
		    audience->member[i].group ? 'g' : 'u',
		    (unsigned long)audience->member[i].id);
	if (buf_error(&text) != SBX_OK)
		return buf_error(&text);
	list = acl_from_text(buf_text(&text));
	if (list == NULL)
		return SBX_NOMEM;
	done = acl_set_file(path, ACL_TYPE_ACCESS, list);
	(void)acl_free(list);
	/* It never had a list then. */
	if (done == 0 || (errno == EOPNOTSUPP && audience->count == 0))
		return SBX_OK;
	return sbx_fail(why, errno == EOPNOTSUPP ? SBX_CONFIG : SBX_IO,
	    "cannot let others connect to %s: %s%s", path, strerror(errno),
	    errno == EOPNOTSUPP
		? ": choose a runtime_dir on a file system with access "
		  "control lists"
		: "");
}

/*
 * Processes.
 */

typedef void on_child(pid_t child, void *context);

/* False: the kernel does not say. */
static bool
each_child_of_thread(const char *path, on_child *call, void *context)
{
	cleanup_buf struct buf text = BUF_INIT(CHILDREN_MAX);
	struct view cursor, word;
	char number[24];
	uint64_t pid;

	if (file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return false;
	cursor = buf_view(&text);
	while (text_next_word(&cursor, &word)) {
		if (text_copy(word, number, sizeof(number)) == SBX_OK &&
		    text_uint(number, 1, INT32_MAX, &pid) == SBX_OK)
			call((pid_t)pid, context);
	}
	return true;
}

static bool
each_child(pid_t pid, on_child *call, void *context)
{
	char path[PROC_PATH];
	cleanup_dir DIR *threads = NULL;
	const struct dirent *thread;
	bool told = false;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	threads = opendir(path);
	while (threads != NULL && (thread = readdir(threads)) != NULL) {
		if (thread->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path),
		    "/proc/%ld/task/%.20s/children", (long)pid, thread->d_name);
		if (each_child_of_thread(path, call, context))
			told = true;
	}
	return told;
}

struct guests {
	const struct box *box;
	const char *path;
	const struct provider_audience *audience;
};

struct branch {
	const struct guests *guests;
	int depth;
};

/* A pid may be given to another process before we have a descriptor of it. */
static int
open_of_box(pid_t pid, const struct box *box)
{
	cleanup_close int fd = pidfd_open(pid, 0);
	char path[PROC_PATH];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	if (fd < 0 || stat(path, &st) < 0 || st.st_uid < box->slice.uid ||
	    st.st_uid - box->slice.uid >= LOCAL_SLICE)
		return -1;
	return steal_fd(&fd);
}

/* One that is stopped makes no more children. */
static void
end_branch(pid_t pid, void *context)
{
	struct branch *branch = context;
	struct branch below = { branch->guests, branch->depth + 1 };
	cleanup_close int fd = open_of_box(pid, branch->guests->box);
	struct pollfd p = { fd, POLLIN, 0 };

	if (fd < 0)
		return;
	(void)pidfd_send_signal(fd, SIGSTOP, NULL, 0);
	if (branch->depth < DEPTH_MAX)
		(void)each_child(pid, end_branch, &below);
	(void)pidfd_send_signal(fd, SIGKILL, NULL, 0);
	if (branch->depth == 0)
		(void)poll(&p, 1, END_MS);
}

/*
 * Connections.
 */

static bool
may_stay(uid_t uid, const struct guests *guests)
{
	cleanup_groups struct groups groups = { 0, NULL };
	const struct provider_audience *audience = guests->audience;

	if (uid == 0 || uid == guests->box->owner)
		return true;
	if (groups_of(uid, &groups) != SBX_OK)
		return false;
	for (size_t i = 0; i < audience->count; i++) {
		const struct provider_member *member = &audience->member[i];

		if (member->group ? groups_have(&groups, member->id)
				  : member->id == uid)
			return true;
	}
	return false;
}

/* One that was accepted on our socket. */
static bool
is_connection(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	    address.sun_family == AF_UNIX &&
	    strncmp(address.sun_path, path, sizeof(address.sun_path)) == 0;
}

enum verdict {
	IS_NONE, /* no connection, or gone */
	STAYS,
	GOES,
};

/* The descriptor of that number in another process; ours if it goes. */
static enum verdict
judge_descriptor(
    int process, const char *number, const struct guests *guests, int *ret)
{
	cleanup_close int fd = -1;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	uint64_t value;

	if (text_uint(number, 0, INT32_MAX, &value) != SBX_OK)
		return IS_NONE;
	fd = pidfd_getfd(process, (int)value, 0);
	if (fd < 0)
		return errno == EBADF || errno == ESRCH ? IS_NONE : GOES;
	if (!is_connection(fd, guests->path))
		return IS_NONE;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    may_stay(peer.uid, guests))
		return STAYS;
	*ret = steal_fd(&fd);
	return GOES;
}

static enum verdict
judge(pid_t pid, const struct guests *guests, int *ret)
{
	char path[PROC_PATH];
	cleanup_close int process = open_of_box(pid, guests->box);
	cleanup_dir DIR *folder = NULL;
	const struct dirent *entry;
	enum verdict verdict = IS_NONE;

	if (process < 0)
		return IS_NONE;
	(void)snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	folder = opendir(path);
	if (folder == NULL)
		return errno == ENOENT ? IS_NONE : GOES;
	while (verdict == IS_NONE && (entry = readdir(folder)) != NULL) {
		char kind[16] = "";

		if (readlinkat(dirfd(folder), entry->d_name, kind,
			sizeof(kind) - 1) > 0 &&
		    strncmp(kind, "socket:", strlen("socket:")) == 0)
			verdict = judge_descriptor(
			    process, entry->d_name, guests, ret);
	}
	return verdict;
}

/*
 * The processes first: as long as theirs is there they can be found.  Whatever
 * is left then has no connection.
 */
static void
end_if_it_goes(pid_t pid, void *context)
{
	const struct guests *guests = context;
	cleanup_close int fd = -1;

	if (judge(pid, guests, &fd) != GOES)
		return;
	end_branch(pid, &(struct branch){ guests, 0 });
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

enum sbx_err
guests_end(const struct box *box, pid_t process_1, const char *path,
    const struct provider_audience *audience, struct sbx_why *why)
{
	struct guests guests = { box, path, audience };
	bool told;

	/* Who made its namespace may look at what is in it. */
	if (!userns_act_as((uid_t)box->slice.uid))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "cannot act as the sandbox's uid: %s", strerror(errno));
	told = each_child(process_1, end_if_it_goes, &guests);
	if (!userns_act_as(0))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "cannot act as root again: %s", strerror(errno));
	if (told)
		return SBX_OK;
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "the kernel does not tell the connections of sandbox %s: stop it",
	    box->id);
}
