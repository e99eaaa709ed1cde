/* SPDX-License-Identifier: ISC */
#include "init/quota.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/cleanup.h"
#include "init/terminals.h"

#define NICE 10
#define MEASURE_SECONDS 300
/* Measuring takes at most a tenth of the time. */
#define REST 10
/* Others give space back meanwhile, so now and then without a reason. */
#define LOOK_MS 60000
#define DELIVER_MS 100
#define TTY_GROUP 5 /* of terminals that sshd made */

/* As it comes through the pipe. */
struct answer {
	bool ok;
	struct measure used;
};

void
quota_begin(struct quota_watch *w, const struct quota *quota)
{
	*w = (struct quota_watch){ .quota = quota, .fd = -1 };
}

static bool
free_space(const struct quota_watch *w, struct measure *ret)
{
	struct statvfs st;

	if (statvfs(w->quota->folder, &st) < 0)
		return false;
	ret->bytes = (uint64_t)st.f_bfree * st.f_frsize;
	ret->files = st.f_ffree;
	return true;
}

static void
start_measuring(struct quota_watch *w, int64_t now_ms)
{
	struct answer answer;
	/* One for each level. */
	const struct rlimit files = { 2 * MEASURE_DEPTH_MAX,
		2 * MEASURE_DEPTH_MAX };
	sigset_t none;
	int ends[2];
	pid_t pid;

	if (!free_space(w, &w->free) || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		memset(&answer, 0, sizeof(answer));
		(void)alarm(MEASURE_SECONDS);
		(void)setrlimit(RLIMIT_NOFILE, &files);
		(void)setpriority(PRIO_PROCESS, 0, NICE);
		answer.ok =
		    measure_folder(w->quota->folder, "/proc", &answer.used);
		_exit(write(ends[1], &answer, sizeof(answer)) < 0);
	}
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return;
	}
	w->fd = ends[0];
	w->began_ms = now_ms;
}

/* Did so much go that half of what was left may be used up? */
static bool
is_suspicious(uint64_t max, uint64_t used, uint64_t was, uint64_t is)
{
	uint64_t left = max > used ? max - used : 0;

	return was > is && was - is > left / 2;
}

static bool
is_due(const struct quota_watch *w, bool anybody, int64_t now_ms)
{
	struct measure now;

	if (!w->known || w->over || !free_space(w, &now))
		return true;
	if (now.bytes == w->free.bytes && now.files == w->free.files)
		return false;
	return !anybody || now_ms - w->began_ms > LOOK_MS ||
	    is_suspicious(
		w->quota->max.bytes, w->used.bytes, w->free.bytes, now.bytes) ||
	    is_suspicious(
		w->quota->max.files, w->used.files, w->free.files, now.files);
}

static void
report(const struct quota_watch *w)
{
	cleanup_close int fd = -1;
	char text[64];
	int len = snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 "\n",
	    w->used.bytes, w->used.files);

	if (w->quota->usage == NULL)
		return;
	fd = open(w->quota->usage,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0)
		(void)!write(fd, text, (size_t)len);
}

/* False: it ended without an answer, and is tried again. */
static bool
take_answer(struct quota_watch *w, int64_t now_ms)
{
	struct answer answer;
	ssize_t n = read(w->fd, &answer, sizeof(answer));

	if (n < 0)
		return false; /* not yet */
	(void)close(w->fd);
	w->fd = -1;
	w->next_ms = now_ms + (now_ms - w->began_ms) * REST;
	if (w->next_ms < now_ms + QUOTA_TICK_MS)
		w->next_ms = now_ms + QUOTA_TICK_MS;
	if (n != (ssize_t)sizeof(answer))
		return false;
	w->known = true;
	/* What is too deep to be measured is too large. */
	w->used =
	    answer.ok ? answer.used : (struct measure){ INT64_MAX, INT64_MAX };
	report(w);
	return true;
}

static int64_t
changed_ns(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
}

/* A line on each terminal that came up since the last time. */
static void
tell_terminals(struct quota_watch *w)
{
	static const char form[] =
	    "\r\nsandbox-ssh: %s holds %" PRIu64 " MiB in %" PRIu64
	    " files; %" PRIu64 " MiB in %" PRIu64 " files are the limit: "
	    "nothing can be written before some are removed.\r\n";
	const struct measure *max = &w->quota->max;
	cleanup_dir DIR *dir = opendir(TERMINALS);
	const struct dirent *entry;
	int64_t newest = w->told;
	bool told = false;
	char text[512];

	(void)snprintf(text, sizeof(text), form, w->quota->folder,
	    w->used.bytes >> 20, w->used.files, max->bytes >> 20, max->files);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 ||
		    !S_ISCHR(st.st_mode) || st.st_gid != TTY_GROUP ||
		    changed_ns(&st) <= w->told)
			continue;
		told |= terminal_write(entry->d_name, text);
		if (changed_ns(&st) > newest)
			newest = changed_ns(&st);
	}
	w->told = newest;
	/* Whoever brings it to the other end of one shall not end before. */
	if (told)
		(void)poll(NULL, 0, DELIVER_MS);
}

static void
look(struct quota_watch *w, bool anybody, int64_t now_ms)
{
	w->stale = w->stale || anybody;
	if (!w->stale || now_ms < w->next_ms)
		return;
	if (is_due(w, anybody, now_ms))
		start_measuring(w, now_ms);
	w->stale = anybody;
}

static bool
exceeds(const struct measure *used, const struct measure *max)
{
	return used->bytes > max->bytes || used->files > max->files;
}

bool
quota_step(struct quota_watch *w, bool anybody, int64_t now_ms)
{
	struct measure before = w->used;
	bool was_over = w->over, grown = false;

	if (w->quota->folder == NULL)
		return false;
	if (w->fd >= 0) {
		if (take_answer(w, now_ms)) {
			w->over = exceeds(&w->used, &w->quota->max);
			grown = exceeds(&w->used, &before);
		}
	} else {
		look(w, anybody, now_ms);
	}
	if (w->over)
		tell_terminals(w);
	return w->over && (!was_over || grown);
}

int
quota_timeout_ms(const struct quota_watch *w)
{
	return w->quota->folder != NULL && w->stale ? QUOTA_TICK_MS : -1;
}
