/* SPDX-License-Identifier: ISC */
#include "broker/life/terms.h"

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
change_in_turn(struct broker *b, const struct caller *caller, const char *id,
    const struct terms *terms, struct sandbox *ret, struct sbx_why *why)
{
	enum sbx_err err =
	    sandboxes_find(b, caller, id, ACCESS_EXTEND, ret, why);

	if (err == SBX_OK && terms->timeout != 0)
		err = terms_end(b, ret, terms->timeout, why);
	if (err == SBX_OK && terms->timeout != 0)
		err = store_set_end(
		    b->store, id, ret->expires_at, ret->end_ticks, why);
	if (err == SBX_OK && terms->untie)
		err = store_untie(b->store, id, why);
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
