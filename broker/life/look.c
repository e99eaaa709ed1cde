/* SPDX-License-Identifier: ISC */
#include "broker/life/look.h"

#include "broker/helper/provider_call.h"
#include "common/cleanup.h"
#include "common/text.h"

/* Until it is asked again, where nobody could say who is in it. */
#define RETRY 60

uint64_t
look_warning(uint64_t left)
{
	if (left <= LOOK_LAST)
		return LOOK_LAST;
	return left <= LOOK_FIRST ? LOOK_FIRST : 0;
}

uint64_t
look_until(uint64_t left)
{
	if (left > LOOK_FIRST)
		return left - LOOK_FIRST;
	return left > LOOK_LAST ? left - LOOK_LAST : 0;
}

static uint64_t
later(uint64_t end, uint64_t now)
{
	return end > now ? end - now : 0;
}

/* Until both clocks have reached its end. */
static uint64_t
left_of(const struct broker *b, const struct sandbox *s)
{
	uint64_t by_now = later(s->expires_at, b->now());
	uint64_t by_ticks = later(s->end_ticks, b->ticks());

	return by_now > by_ticks ? by_now : by_ticks;
}

static void
warn(struct broker *b, const struct sandbox *s, uint64_t left)
{
	uint64_t max = b->settings->max_lifetime;
	uint64_t minutes = (left + 30) / 60;
	cleanup_buf struct buf text = BUF_INIT(PROVIDER_TEXT - 1);
	char when[TEXT_TIME_LEN];

	text_put_time(b->now() + left, when);
	buf_printf(&text, "\r\nsandbox-ssh: %s ends in %llu %s, at %s.  ",
	    s->id, (unsigned long long)(left < LOOK_LAST ? left : minutes),
	    left < LOOK_LAST   ? "seconds"
		: minutes == 1 ? "minute"
			       : "minutes",
	    when);
	if (max != 0 && s->created_at + max <= s->expires_at)
		buf_put_text(&text, "It may live no longer than that.\r\n");
	else
		buf_printf(&text,
		    "For another hour: sandboxctl extend %s --timeout 1h\r\n",
		    s->id);
	if (buf_error(&text) == SBX_OK)
		(void)!provider_call_tell(
		    b->provider_fd, s->provider, s->id, buf_text(&text), NULL);
}

/* Tells, if it is time; in how many seconds the next is due, or 0. */
static uint64_t
look_at_end(struct broker *b, struct sandbox *s)
{
	uint64_t left = left_of(b, s), warning = look_warning(left);

	if (warning != 0 && (s->warned == 0 || warning < s->warned)) {
		if (s->state == SANDBOX_RUNNING)
			warn(b, s, left);
		s->warned = warning;
	}
	return look_until(left);
}

/* Stops it, if it is time; in how many seconds to look again, or 0. */
static uint64_t
look_at_use(struct broker *b, struct sandbox *s, struct sbx_why *why)
{
	cleanup_free struct provider_sessions *sessions =
	    calloc(1, sizeof(*sessions));

	if (sessions == NULL || sandboxes_reconcile(b, s, why) != SBX_OK)
		return RETRY;
	if (s->state != SANDBOX_RUNNING)
		return 0; /* a start has us look again */
	sandboxes_sessions(b, s, sessions);
	if (!sessions->known)
		return s->auto_stop < RETRY ? RETRY : s->auto_stop;
	if (sessions->count > 0 || sessions->idle < s->auto_stop)
		return s->auto_stop -
		    (sessions->count > 0 ? 0 : sessions->idle);
	return sandboxes_stop_unused(b, s, why) == SBX_OK ? 0 : RETRY;
}

static enum sbx_err
look_in_turn(struct broker *b, const char *id, struct sbx_why *why)
{
	uint64_t end = 0, use = 0;
	struct sandbox s;
	enum sbx_err err = store_get(b->store, id, &s, why);

	if (err != SBX_OK)
		return err;
	/* Its end is somebody else's work. */
	if (s.state == SANDBOX_DELETING ||
	    (s.expires_at != 0 && left_of(b, &s) == 0))
		return SBX_NOT_FOUND;
	if (s.expires_at != 0)
		end = look_at_end(b, &s);
	if (s.auto_stop != 0 && s.state == SANDBOX_RUNNING)
		use = look_at_use(b, &s, why);
	if (end == 0 || (use != 0 && use < end))
		end = use;
	s.look_ticks = end == 0 ? 0 : b->ticks() + end;
	return store_set_terms(b->store, &s, /* event= */ NULL, why);
}

enum sbx_err
look_after(struct broker *b, const char *id, struct sbx_why *why)
{
	enum sbx_err err;

	if (!turn_try(b->turns, id))
		return sbx_fail(
		    why, SBX_STATE, "another operation on '%s' goes on", id);
	err = look_in_turn(b, id, why);
	turn_give(b->turns, id);
	/* The next may be due earlier than anybody knows. */
	if (err == SBX_OK && b->hurry != NULL)
		b->hurry();
	return err;
}
