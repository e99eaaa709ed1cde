/* SPDX-License-Identifier: ISC */
#include "common/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"

#define WORDS_MAX 40
#define WORD_LEN 160
#define CGROUP_MAX 4096
#define STOP_USEC "5000000" /* between SIGTERM and SIGKILL */
#define CALL_TIMEOUT "5"    /* seconds */

/* A command line, one word after the other. */
struct command {
	char text[WORDS_MAX][WORD_LEN];
	char *word[WORDS_MAX + 1];
	size_t count;
	bool fits;
};

static void
add(struct command *c, const char *word)
{
	size_t len = strlen(word) + 1;

	if (c->count == WORDS_MAX || len > WORD_LEN) {
		c->fits = false;
		return;
	}
	memcpy(c->text[c->count], word, len);
	c->word[c->count] = c->text[c->count];
	c->word[++c->count] = NULL;
}

static void
add_number(struct command *c, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	add(c, text);
}

/* A property: name, type as D-Bus has it, value. */
static void
add_property(
    struct command *c, const char *name, const char *type, const char *value)
{
	add(c, name);
	add(c, type);
	add(c, value);
}

static void
add_limit(struct command *c, const char *name, uint64_t value)
{
	add(c, name);
	add(c, "t");
	add_number(c, value);
}

/* busctl(1): the call of org.freedesktop.systemd1(5) by hand. */
static void
put_command(const struct scope *scope, const char *unit, const char *address,
    pid_t pid, struct command *ret)
{
	size_t properties = 4 + (scope->slice != NULL) + (scope->tasks != 0) +
	    2 * (scope->memory != 0);

	*ret = (struct command){ .fits = true };
	add(ret, "busctl");
	add(ret, address);
	add(ret, "--quiet");
	add(ret, "--timeout=" CALL_TIMEOUT);
	add(ret, "call");
	add(ret, "org.freedesktop.systemd1");
	add(ret, "/org/freedesktop/systemd1");
	add(ret, "org.freedesktop.systemd1.Manager");
	add(ret, "StartTransientUnit");
	add(ret, "ssa(sv)a(sa(sv))");
	add(ret, unit);
	add(ret, "fail");
	add_number(ret, properties);
	add(ret, "PIDs");
	add(ret, "au");
	add(ret, "1");
	add_number(ret, (uint64_t)pid);
	add_property(ret, "Description", "s", scope->name);
	add_property(ret, "CollectMode", "s", "inactive-or-failed");
	add_property(ret, "TimeoutStopUSec", "t", STOP_USEC);
	if (scope->slice != NULL)
		add_property(ret, "Slice", "s", scope->slice);
	if (scope->tasks != 0)
		add_limit(ret, "TasksMax", scope->tasks);
	if (scope->memory != 0) {
		add_limit(ret, "MemoryMax", scope->memory);
		add_limit(ret, "MemorySwapMax", 0);
	}
	add(ret, "0"); /* units beside it */
}

static bool
run(struct command *command)
{
	static char path[] = "PATH=/usr/bin:/bin";
	char *const environment[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	bool ok = command->fits;
	int status = -1;
	pid_t pid;

	if (!ok || posix_spawn_file_actions_init(&actions) != 0)
		return false;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		ok = posix_spawn_file_actions_addopen(
			 &actions, fd, "/dev/null", O_RDWR, 0) == 0 &&
		    ok;
	ok = ok &&
	    posix_spawnp(&pid, command->word[0], &actions, NULL, command->word,
		environment) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	if (!ok)
		return false;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Does the process belong to what has this in its path? */
static bool
belongs(pid_t pid, const char *part)
{
	cleanup_buf struct buf text = BUF_INIT(CGROUP_MAX);
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
	return file_read(AT_FDCWD, path, &text, NULL) == SBX_OK &&
	    strstr(buf_text(&text), part) != NULL;
}

bool
scope_possible(void)
{
	char unit[64];

	if (access("/run/systemd/system", F_OK) < 0)
		return false;
	(void)snprintf(
	    unit, sizeof(unit), "/user@%lu.service/", (unsigned long)geteuid());
	return geteuid() == 0 || belongs(getpid(), unit);
}

/* Its answer comes before the job that it begins is done. */
static bool
await_move(pid_t pid, const char *unit)
{
	const struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };

	for (int i = 0; i < 1000; i++) {
		if (belongs(pid, unit))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

bool
scope_move(const struct scope *scope, pid_t pid)
{
	struct command command;
	char unit[WORD_LEN], address[WORD_LEN];

	if (!scope_possible())
		return false;
	(void)snprintf(
	    unit, sizeof(unit), "%s-%ld.scope", scope->name, (long)pid);
	if (geteuid() == 0)
		(void)snprintf(address, sizeof(address),
		    "--address=unix:path=/run/dbus/system_bus_socket");
	else
		(void)snprintf(address, sizeof(address),
		    "--address=unix:path=/run/user/%lu/bus",
		    (unsigned long)geteuid());
	put_command(scope, unit, address, pid, &command);
	return run(&command) && await_move(pid, unit);
}
