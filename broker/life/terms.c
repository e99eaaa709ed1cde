/* SPDX-License-Identifier: ISC */
#include "broker/life/terms.h"

#include <string.h>

#include "broker/life/events.h"
#include "broker/helper/provider_call.h"
#include "broker/life/look.h"
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
	s->warned = timeout == 0 ? 0 : look_warning(timeout);
	s->look_ticks = timeout == 0 || look_until(timeout) == 0
	    ? 0
	    : b->ticks() + look_until(timeout);
	return SBX_OK;
}

/* An end that is near is to be told at once. */
static enum sbx_err
set_terms(struct broker *b, const struct caller *caller, struct sandbox *s,
    const struct terms *terms, struct sbx_why *why)
{
	char text[TEXT_TIME_LEN + TEXT_DURATION_LEN + 16];
	struct event event;
	enum sbx_err err = SBX_OK;

	/* Should nobody of us be there when its time comes. */
	if (terms->timeout != 0 && provider_is_platform(s->provider))
		err = provider_call_set_end(b->provider_fd, s->provider, s->id,
		    s->expires_at == 0 ? 0 : s->expires_at - b->now(), why);
	if (err != SBX_OK)
		return err;
	s->look_ticks = 1;
	if (terms->stops) {
		s->auto_stop = terms->auto_stop;
		(void)snprintf(text, sizeof(text), "auto_stop ");
		text_put_duration(s->auto_stop, text + strlen(text));
	}
	if (terms->timeout != 0) {
		s->warned = 0;
		text_put_time(s->expires_at, text);
	}
	event_begin(&event, b, EVENT_EXTENDED, s, "extend", caller->name);
	event_set_detail(&event, text);
	err = store_set_terms(b->store, s, &event, why);
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
		err = terms_end(b, ret, terms->timeout, why);
	if (err == SBX_OK && (terms->timeout != 0 || terms->stops))
		err = set_terms(b, caller, ret, terms, why);
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
