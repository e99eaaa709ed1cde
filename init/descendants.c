/* SPDX-License-Identifier: ISC */
#include "init/descendants.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/cleanup.h"

struct process {
	pid_t pid;
	pid_t parent;
};

struct table {
	struct process *row;
	size_t count;
	size_t size;
};

/* Field 4 of /proc/PID/stat; the name before it may hold anything. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], text[512];
	const char *after;
	cleanup_close int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	after = strrchr(text, ')');
	/* ") S 123 ..." */
	if (after == NULL || strlen(after) < 5)
		return -1;
	return (pid_t)strtol(after + 4, NULL, 10);
}

static bool
add(struct table *t, struct process p)
{
	if (t->count == t->size) {
		size_t size = t->size == 0 ? 256 : 2 * t->size;
		struct process *row = realloc(t->row, size * sizeof(*row));

		if (row == NULL)
			return false;
		t->row = row;
		t->size = size;
	}
	t->row[t->count++] = p;
	return true;
}

void
descendants_each(void (*see)(pid_t pid, pid_t parent, void *arg), void *arg)
{
	cleanup_dir DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		pid_t parent;

		if (pid <= 0 || *end != '\0')
			continue;
		parent = parent_of((pid_t)pid);
		if (parent >= 0)
			see((pid_t)pid, parent, arg);
	}
}

/* What there is no memory for is missed. */
static void
put(pid_t pid, pid_t parent, void *arg)
{
	(void)add(arg, (struct process){ pid, parent });
}

static pid_t
listed_parent(const struct table *t, pid_t pid)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->row[i].pid == pid)
			return t->row[i].parent;
	}
	return 0;
}

static bool
is_below(const struct table *t, pid_t pid, pid_t top)
{
	/* The table was not read in one moment, so it may hold a circle. */
	for (size_t steps = 0; pid > 1 && steps <= t->count; steps++) {
		pid = listed_parent(t, pid);
		if (pid == top)
			return true;
	}
	return false;
}

void
descendants_signal(int sig)
{
	struct table t = { NULL, 0, 0 };
	pid_t self = getpid();

	if (self == 1) {
		(void)kill(-1, sig);
		return;
	}
	descendants_each(put, &t);
	for (size_t i = 0; i < t.count; i++) {
		if (is_below(&t, t.row[i].pid, self))
			(void)kill(t.row[i].pid, sig);
	}
	free(t.row);
}

bool
descendants_reap(void (*forget)(pid_t pid, void *arg), void *arg)
{
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid > 0)
			forget(pid, arg);
		else if (pid == 0)
			return true;
		else if (errno != EINTR)
			return false;
	}
}
