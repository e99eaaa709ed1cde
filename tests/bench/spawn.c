/* SPDX-License-Identifier: ISC */
/*
 * Whole processes, from posix_spawn(3) to their end, in rounds: every command
 * once a round, so that whatever else the machine does hits all of them.
 * Prints the median and the fastest of each, and the ratio of medians to the
 * first command's.
 *
 *	spawn ROUNDS NAME STATUS COMMAND [ARGUMENT]... [-- NAME ...]...
 */
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "common/err.h"
#include "common/text.h"

#define COMMANDS_MAX 16
#define WARM_UP 20

struct command {
	const char *name;
	int status;
	char **argv;
	uint64_t *times;
};

static uint64_t
nanoseconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* As sshd starts it: hardly any environment. */
static bool
run(const struct command *command, const posix_spawn_file_actions_t *actions,
    uint64_t *ret)
{
	static char path[] = "PATH=/usr/bin:/bin";
	char *environment[] = { path, NULL };
	uint64_t start = nanoseconds();
	int status;
	pid_t pid;

	if (posix_spawn(&pid, command->argv[0], actions, NULL, command->argv,
		environment) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		return false;
	*ret = nanoseconds() - start;
	if (WIFEXITED(status) && WEXITSTATUS(status) == command->status)
		return true;
	(void)fprintf(stderr, "spawn: %s: ended with %s %d, not %d\n",
	    command->name, WIFEXITED(status) ? "status" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
	    command->status);
	return false;
}

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static size_t
read_commands(char **argv, struct command ret[static COMMANDS_MAX])
{
	size_t n = 0;

	while (argv[0] != NULL) {
		uint64_t status;

		if (n == COMMANDS_MAX || argv[1] == NULL || argv[2] == NULL ||
		    text_uint(argv[1], 0, 255, &status) != SBX_OK)
			return 0;
		ret[n++] =
		    (struct command){ argv[0], (int)status, argv + 2, NULL };
		while (*argv != NULL && strcmp(*argv, "--") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return n;
}

static void
report(struct command *commands, size_t count, size_t rounds)
{
	for (size_t i = 0; i < count; i++)
		qsort(commands[i].times, rounds, sizeof(uint64_t), compare);
	(void)printf(
	    "%-44s %10s %10s %7s\n", "", "median us", "fastest us", "ratio");
	for (size_t i = 0; i < count; i++) {
		const uint64_t *times = commands[i].times;

		(void)printf("%-44s %10.0f %10.0f %7.2f\n", commands[i].name,
		    (double)times[rounds / 2] / 1000, (double)times[0] / 1000,
		    (double)times[rounds / 2] /
			(double)commands[0].times[rounds / 2]);
	}
}

int
main(int argc, char **argv)
{
	static struct command commands[COMMANDS_MAX];
	posix_spawn_file_actions_t actions;
	uint64_t rounds, ignored;
	size_t count = 0;

	if (argc > 4 && text_uint(argv[1], 1, 1000000, &rounds) == SBX_OK)
		count = read_commands(argv + 2, commands);
	if (count == 0) {
		(void)fprintf(stderr,
		    "usage: spawn ROUNDS NAME STATUS COMMAND... [-- ...]\n");
		return EX_USAGE;
	}
	if (posix_spawn_file_actions_init(&actions) != 0)
		return EX_OSERR;
	for (int fd = 0; fd <= 2; fd++) {
		if (posix_spawn_file_actions_addopen(
			&actions, fd, "/dev/null", O_RDWR, 0) != 0)
			return EX_OSERR;
	}
	for (size_t i = 0; i < count; i++) {
		commands[i].times = calloc(rounds, sizeof(uint64_t));
		if (commands[i].times == NULL)
			return EX_OSERR;
		for (int n = 0; n < WARM_UP; n++) {
			if (!run(&commands[i], &actions, &ignored))
				return EX_SOFTWARE;
		}
	}
	for (size_t n = 0; n < rounds; n++) {
		for (size_t i = 0; i < count; i++) {
			if (!run(&commands[i], &actions, &commands[i].times[n]))
				return EX_SOFTWARE;
		}
	}
	report(commands, count, rounds);
	return EX_OK;
}
