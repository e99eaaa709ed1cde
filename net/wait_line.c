/* SPDX-License-Identifier: ISC */
#include "net/wait_line.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 500	/* nobody needs to read of a shorter wait */
#define PATIENT_MS 3000 /* nor, in a log, of one shorter than this */
#define WIDTH_MAX 128

static const int endings[] = { SIGINT, SIGTERM, SIGHUP };

#define ENDINGS (sizeof(endings) / sizeof(endings[0]))

/* For the handler: the one line that a program shows at a time. */
static volatile sig_atomic_t shown_fd = -1, shown_width;
static const char *volatile shown_last;

static void
say(int fd, const char *text, size_t len)
{
	if (write(fd, text, len) < 0)
		return;
}

/* Blanks, since not every terminal knows more. */
static void
erase(int fd, int width)
{
	char line[WIDTH_MAX + 2];
	size_t len = width > WIDTH_MAX ? WIDTH_MAX : (size_t)width;

	memset(line, ' ', sizeof(line));
	line[0] = line[len + 1] = '\r';
	say(fd, line, len + 2);
}

/* Its action is the default one again, so the signal ends us after all. */
static void
on_ending(int number)
{
	int fd = shown_fd;
	const char *last = shown_last;

	if (fd >= 0)
		erase(fd, shown_width);
	if (fd >= 0 && last != NULL)
		say(fd, last, strlen(last));
	(void)raise(number);
}

/* A signal that somebody had ignored stays ignored. */
static void
catch_endings(void)
{
	struct sigaction before;
	struct sigaction action = { .sa_handler = on_ending,
		.sa_flags = SA_RESETHAND };

	for (size_t i = 0; i < ENDINGS; i++) {
		if (sigaction(endings[i], NULL, &before) == 0 &&
		    before.sa_handler == SIG_DFL)
			(void)sigaction(endings[i], &action, NULL);
	}
}

static void
release_endings(void)
{
	struct sigaction now;

	for (size_t i = 0; i < ENDINGS; i++) {
		if (sigaction(endings[i], NULL, &now) == 0 &&
		    now.sa_handler == on_ending)
			(void)signal(endings[i], SIG_DFL);
	}
}

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
wait_line_begin(struct wait_line *ret, int fd, const char *doing,
    const char *what, const char *log, const char *last_words)
{
	*ret = (struct wait_line){ .fd = fd,
		.terminal = isatty(fd) == 1,
		.log = log,
		.doing = doing,
		.what = what,
		.since = now_ms() };
	if (!ret->terminal)
		return;
	shown_last = last_words;
	catch_endings();
}

uint64_t
wait_line_passed(const struct wait_line *line)
{
	return (uint64_t)(now_ms() - line->since) / 1000;
}

void
wait_line_step(void *context)
{
	struct wait_line *line = context;
	int64_t passed = now_ms() - line->since;

	if (line->terminal && passed >= QUIET_MS) {
		line->width = dprintf(line->fd, "\r%c %s %s, %llds ",
		    "|/-\\"[line->turn++ % 4], line -> doing, line -> what,
		    (long long)(passed / 1000));
		shown_width = line->width;
		shown_fd = line->fd;
	}
	if (line->terminal || line->log == NULL || passed < PATIENT_MS)
		return;
	(void)dprintf(
	    line->fd, "%s: %s %s\n", line->log, line->doing, line->what);
	line->log = NULL;
}

void
wait_line_end(struct wait_line *line)
{
	shown_fd = -1;
	if (line->width > 0)
		erase(line->fd, line->width);
	line->width = 0;
	if (line->terminal)
		release_endings();
	line->terminal = false;
}
