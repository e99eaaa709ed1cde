#include "proxycmd/resolve_wait.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 500	/* nobody needs to read of a shorter wait */
#define PATIENT_MS 3000 /* nor, in a log, of one shorter than this */

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
wait_line_begin(struct wait_line *ret, int fd, const char *id)
{
	*ret = (struct wait_line){ .fd = fd,
		.terminal = isatty(fd) == 1,
		.id = id,
		.since = now_ms() };
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

	if (line->terminal && passed >= QUIET_MS)
		line->width = dprintf(line->fd, "\r%c starting %s, %llds ",
		    "|/-\\"[line->turn++ % 4], line -> id,
		    (long long)(passed / 1000));
	if (line->terminal || line->told || passed < PATIENT_MS)
		return;
	line->told = true;
	(void)dprintf(line->fd, "sandbox-ssh: starting %s\n", line->id);
}

void
wait_line_end(struct wait_line *line)
{
	if (line->width > 0)
		(void)dprintf(line->fd, "\r%*s\r", line->width, "");
	line->width = 0;
}
