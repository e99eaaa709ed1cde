#include "proxycmd/resolve_wait.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 500 /* nobody needs to read of a shorter wait */

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
	*ret =
	    (struct wait_line){ isatty(fd) == 1 ? fd : -1, id, now_ms(), 0, 0 };
}

void
wait_line_step(void *context)
{
	struct wait_line *line = context;
	int64_t passed = now_ms() - line->since;

	if (line->fd < 0 || passed < QUIET_MS)
		return;
	line->width = dprintf(line->fd, "\r%c starting %s, %llds ",
	    "|/-\\"[line->turn++ % 4], line -> id, (long long)(passed / 1000));
}

void
wait_line_end(struct wait_line *line)
{
	if (line->width > 0)
		(void)dprintf(line->fd, "\r%*s\r", line->width, "");
	line->width = 0;
}
