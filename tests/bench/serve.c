/* SPDX-License-Identifier: ISC */
/*
 * serve SOCKET COMMAND [ARG...]: runs COMMAND for every connection to the
 * UNIX socket or to a TCP port of 127.0.0.1, which is printed.  Ends with
 * its standard input.  Does as little as can be done, so that what is
 * measured is not this.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

static int
listen_on(int family, const void *address, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, address, len) < 0 || listen(fd, 128) < 0) {
		perror("serve");
		exit(1);
	}
	return fd;
}

static void
serve(int listener, char **command)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	sigset_t defaults;
	pid_t pid;

	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGCHLD);
	if (fd < 0 || posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawnattr_init(&attributes) != 0 ||
	    posix_spawnattr_setsigdefault(&attributes, &defaults) != 0 ||
	    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, fd, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, fd, 1) != 0 ||
	    posix_spawn(
		&pid, command[0], &actions, &attributes, command, environ) != 0)
		perror("serve");
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in network = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(network);
	struct pollfd pfd[3] = { { .fd = STDIN_FILENO, .events = POLLIN } };

	if (argc < 3)
		return 64;
	(void)signal(SIGCHLD, SIG_IGN);
	(void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", argv[1]);
	pfd[1].fd = listen_on(AF_UNIX, &local, sizeof(local));
	pfd[2].fd = listen_on(AF_INET, &network, sizeof(network));
	if (getsockname(pfd[2].fd, (struct sockaddr *)&network, &len) < 0)
		return 1;
	(void)printf("%u\n", ntohs(network.sin_port));
	(void)fflush(stdout);
	pfd[1].events = POLLIN;
	pfd[2].events = POLLIN;
	while (poll(pfd, 3, -1) >= 0 && pfd[0].revents == 0) {
		for (int i = 1; i < 3; i++) {
			if (pfd[i].revents != 0)
				serve(pfd[i].fd, argv + 2);
		}
	}
	return 0;
}
