/* SPDX-License-Identifier: ISC */
/*
 * lap exit|descriptor ROUNDS COMMAND [ARG...] [-- COMMAND [ARG...]]...
 *
 * Runs the commands in turns and prints the median of each in nanoseconds,
 * a line a command: until it has ended, or until a descriptor has come over
 * its standard output (as ssh's ProxyUseFdpass takes it) and it has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"

#define COMMANDS_MAX 32
#define ROUNDS_MAX 100000

extern char **environ;

static uint64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	(void)fprintf(stderr, "lap: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
take_descriptor(int fd)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *rights;
	int got;

	if (recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) != 1)
		die("no descriptor");
	rights = CMSG_FIRSTHDR(&msg);
	if (rights == NULL || rights->cmsg_type != SCM_RIGHTS)
		die("a byte without a descriptor");
	memcpy(&got, CMSG_DATA(rights), sizeof(got));
	(void)close(got);
}

static uint64_t
run(char **argv, bool descriptor)
{
	posix_spawn_file_actions_t actions;
	int pair[2] = { -1, -1 }, status = 0;
	uint64_t begin = now();
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0)
		die("posix_spawn");
	if (descriptor) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) <
			0 ||
		    posix_spawn_file_actions_adddup2(
			&actions, pair[1], STDOUT_FILENO) != 0)
			die("socketpair");
	} else if (posix_spawn_file_actions_addopen(
		       &actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0)
		die("posix_spawn");
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		die(argv[0]);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (descriptor) {
		(void)close(pair[1]);
		take_descriptor(pair[0]);
		(void)close(pair[0]);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		(void)fprintf(
		    stderr, "lap: %s ended with %d\n", argv[0], status);
		exit(1);
	}
	return now() - begin;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	static uint64_t *times[COMMANDS_MAX];
	char **commands[COMMANDS_MAX];
	uint64_t rounds;
	size_t count = 0;
	bool first = true;

	if (argc < 4 || text_uint(argv[2], 1, ROUNDS_MAX, &rounds) != SBX_OK)
		die("lap exit|descriptor ROUNDS COMMAND...");
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			argv[i] = NULL;
			first = true;
		} else if (first && count < COMMANDS_MAX) {
			times[count] = calloc(rounds, sizeof(uint64_t));
			commands[count++] = &argv[i];
			first = false;
		}
	}
	for (uint64_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < count; i++)
			times[i][round] = run(
			    commands[i], strcmp(argv[1], "descriptor") == 0);
	}
	for (size_t i = 0; i < count; i++) {
		qsort(times[i], rounds, sizeof(uint64_t), compare);
		(void)printf("%lu\n", (unsigned long)times[i][rounds / 2]);
	}
	return 0;
}
