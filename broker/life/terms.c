/* SPDX-License-Identifier: ISC */
#include "broker/life/terms.h"

#include "broker/life/events.h"
#include "common/text.h"

enum sbx_err
terms_end(const struct broker *b, struct sandbox *s, uint64_t timeout,
    struct sbx_why *why)
{
	uint64_t now = b->now(), max = b->settings->max_lifetime;
	uint64_t latest = s->created_at + max;
	char span[TEXT_DURATION_LEN], until[TEXT_TIME_LEN];

	if (max != 0 && (latest <= now || timeout > latest - now)) {
		text_put_duration(max, span);
		text_put_time(latest, until);
		return sbx_fail(why, SBX_REFUSED,
		    "a sandbox may live for %s here, and %s until %s: ask for "
		    "less",
		    span, s->id, until);
	}
	if (timeout == 0 && max != 0)
		timeout = latest - now;
	s->expires_at = timeout == 0 ? 0 : now + timeout;
	s->end_ticks = b->ticks() + timeout;
	return SBX_OK;
}

static enum sbx_err
set_end(struct broker *b, const struct caller *caller, struct sandbox *s,
    uint64_t timeout, struct sbx_why *why)
{
	char until[TEXT_TIME_LEN] = "never";
	struct event event;
	enum sbx_err err = terms_end(b, s, timeout, why);

	if (err != SBX_OK)
		return err;
	event_begin(&event, b, EVENT_EXTENDED, s, "extend", caller->name);
	if (s->expires_at != 0)
		text_put_time(s->expires_at, until);
	event_set_detail(&event, until);
	err = store_set_end(
	    b->store, s->id, s->expires_at, s->end_ticks, &event, why);
	if (err == SBX_OK)
		event_tell(b, &event, caller);
	return err;
}

static enum sbx_err
untie(struct broker *b, const struct caller *caller, struct sandbox *s,
    struct sbx_why *why)
{
	struct event event;
	enum sbx_err err;

	if (!s->tied)
		return SBX_OK;
	event_begin(&event, b, EVENT_EXTENDED, s, "extend", caller->name);
	event_set_detail(&event, "without the connection that made it");
	err = store_untie(b->store, s->id, &event, why);
	if (err == SBX_OK)
		event_tell(b, &event, caller);
	return err;
}

static enum sbx_err
change_in_turn(struct broker *b, const struct caller *caller, const char *id,
    const struct terms *terms, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_EXTEND, ret, why);

	if (err == SBX_OK && terms->timeout != 0)
		err = set_end(b, caller, ret, terms->timeout, why);
	if (err == SBX_OK && terms->untie)
		err = untie(b, caller, ret, why);
	/* That connection may have ended in between. */
	return err != SBX_OK
	    ? err
	    : sandboxes_find(b, caller, id, ACCESS_EXTEND, ret, why);
}

enum sbx_err
terms_change(struct broker *b, const struct caller *caller, const char *id,
    const struct terms *terms, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_EXTEND, ret, why);

	if (err == SBX_OK)
		err = turn_take(b->turns, id, why);
	if (err != SBX_OK)
		return err;
	err = change_in_turn(b, caller, id, terms, ret, why);
	turn_give(b->turns, id);
	if (err == SBX_OK && b->hurry != NULL)
		b->hurry();
	return err;
}
