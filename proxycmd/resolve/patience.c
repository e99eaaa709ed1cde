/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/patience.h"

#include <string.h>

#include "common/text.h"
#include "proxycmd/resolve/silence.h"

#define LONG_MS 1000 /* what is worth a note */
#define GLANCE_MS 1000
#define TICK_MS 10 /* by which the start of a process is rounded down */

/* As a file's time has it. */
static uint64_t
real_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* In its configuration, too, which costs some milliseconds to see. */
static uint64_t
connect_timeout(const struct caller *caller, const char *alias)
{
	cleanup_buf struct buf said = BUF_INIT(CALLER_SAYS_MAX);
	char text[16];
	struct view value;

	if (caller->connect_timeout != 0 || !caller->is_ssh)
		return caller->connect_timeout;
	return caller_ask(caller, alias, NULL, &said) &&
		caller_value(&said, "connecttimeout", &value) &&
		text_copy(value, text, sizeof(text)) == SBX_OK
	    ? caller_seconds(text)
	    : 0;
}

void
patience_begin(struct patience *ret, const struct work *work,
    const struct settings *settings, const char *broker,
    const struct place *place)
{
	const struct caller *caller = work->caller;
	uint64_t seconds = settings->timeout;
	uint64_t limit = connect_timeout(caller, work->alias->text);
	struct silence silence;

	*ret = (struct patience){ .cache_fd = place->cache_fd,
		.hurried = limit != 0 };
	(void)snprintf(ret->suffix, sizeof(ret->suffix), "%s",
	    *settings->broker.suffix != '\0' ? settings->broker.suffix
					     : work->suffix);
	(void)snprintf(ret->place, sizeof(ret->place), "%s", broker);
	if (ret->hurried && limit < seconds)
		seconds = limit;
	ret->deadline.at = caller->began + seconds * 1000;
	/* Who wants something new wants the broker asked. */
	if (!caller->is_ssh || work->ttl != 0)
		return;
	ret->since = real_ms() - (deadline_now() - caller->began) + TICK_MS;
	silence_find(ret->cache_fd, ret->suffix, ret->place, &silence);
	ret->glances = silence.err != SBX_OK && work->quiet;
	if (ret->glances)
		ret->deadline = deadline_in(GLANCE_MS);
}

static unsigned
seconds_left(const struct patience *p)
{
	int ms = deadline_left(p->deadline);

	return ms <= 1000 ? 1 : (unsigned)(ms + 999) / 1000;
}

unsigned
patience_lock(const struct patience *p, unsigned seconds)
{
	return p != NULL && p->hurried && seconds_left(p) < seconds
	    ? seconds_left(p)
	    : seconds;
}

enum sbx_err
patience_check(struct patience *p, struct sbx_why *why)
{
	struct silence silence;

	if (p == NULL)
		return SBX_OK;
	silence_find(p->cache_fd, p->suffix, p->place, &silence);
	if (p->since != 0 && silence.err != SBX_OK && silence.when >= p->since)
		return sbx_fail(why, silence.err, "%s", silence.why);
	p->asks = true;
	p->asked = deadline_now();
	return SBX_OK;
}

void
patience_apply(const struct patience *p, struct client *client)
{
	if (p != NULL && seconds_left(p) < client->settings.timeout)
		client->settings.timeout = seconds_left(p);
}

void
patience_end(struct patience *p, enum sbx_err err, const struct sbx_why *why)
{
	bool in_vain = err == SBX_TIMEOUT || err == SBX_UNAVAILABLE;

	if (p == NULL || !p->asks)
		return;
	p->asks = false;
	if (!in_vain || (!p->glances && deadline_now() - p->asked >= LONG_MS))
		silence_note(p->cache_fd, p->suffix, p->place,
		    in_vain ? err : SBX_OK, why);
}
