/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"

#define LOG_LINE_MAX 1024
#define TIME_LEN sizeof("2026-11-21T20:01:02Z ")

static const char *program = "sandbox-ssh";
static uint64_t (*clock_now)(void);

void
log_init(const char *argv0)
{
	const char *slash;

	if (argv0 == NULL || *argv0 == '\0')
		return;
	slash = strrchr(argv0, '/');
	program = slash == NULL ? argv0 : slash + 1;
}

const char *
log_program(void)
{
	return program;
}

void
log_with_time(uint64_t (*now)(void))
{
	clock_now = now;
}

static void
put_time(char ret[static TIME_LEN])
{
	time_t now;
	struct tm tm;

	*ret = '\0';
	if (clock_now == NULL)
		return;
	now = (time_t)clock_now();
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(ret, TIME_LEN, "%Y-%m-%dT%H:%M:%SZ ", &tm) == 0)
		*ret = '\0';
}

void
log_error(const char *fmt, ...)
{
	cleanup_buf struct buf line = BUF_INIT(5 * LOG_LINE_MAX);
	char text[LOG_LINE_MAX], stamp[TIME_LEN];
	int used;
	va_list ap;

	put_time(stamp);
	used = snprintf(text, sizeof(text), "%s%.64s: ", stamp, program);
	va_start(ap, fmt);
	(void)vsnprintf(text + used, sizeof(text) - (size_t)used, fmt, ap);
	va_end(ap);
	text_escape(VIEW_STR(text), sizeof(text), /* quote= */ false, &line);
	buf_put_text(&line, "\n");
	/* One write, so that lines of parallel programs do not mix. */
	if (file_write_fd(STDERR_FILENO, buf_view(&line)) != SBX_OK)
		return; /* nobody is left to tell */
}

int
log_failure(enum sbx_err err, const struct sbx_why *why)
{
	log_error("%s", sbx_why_text(why, err));
	return sbx_err_exit(err);
}
