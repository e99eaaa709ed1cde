/* SPDX-License-Identifier: ISC */
#include "authkeys/admit.h"

#include <inttypes.h>

#include "authkeys/floor.h"
#include "authkeys/ledger.h"

/* The floor, and what may be forgotten because of it. */
static enum sbx_err
keep(const struct state *state, uint64_t now, bool wait, struct sbx_why *why)
{
	uint64_t floor = 0;
	enum sbx_err err;

	/* Whoever has the lock is doing much the same right now. */
	if (!state_lock(state, wait))
		return SBX_OK;
	err = floor_raise(state, now, why);
	if (err == SBX_OK)
		err = floor_read(state, &floor, why);
	if (err == SBX_OK)
		ledger_sweep(state, floor);
	state_unlock(state);
	return err;
}

static enum sbx_err
claim(const struct admit_context *context, const struct state *state,
    const struct decision *decision, struct sbx_why *why)
{
	struct connection connection;
	const struct claim wanted = {
		.ca = decision->ca,
		.serial = decision->cert.serial,
		.valid_before = decision->cert.valid_before,
		.connection = &connection,
	};
	enum sbx_err err = context->connection(&connection, why);

	return err != SBX_OK ? err : ledger_claim(state, &wanted, why);
}

/* That it ended by the clock needs no explanation. */
static enum sbx_err
expired(const struct admit_context *context, uint64_t floor,
    const struct decision *decision, struct sbx_why *why)
{
	if (context->now >= decision->cert.valid_before)
		return SBX_EXPIRED;
	return sbx_fail(why, SBX_EXPIRED,
	    "the clock is %" PRIu64 " s behind the latest time seen, %" PRIu64
	    ": see Clock in sandbox-authkeys(8)",
	    floor - context->now, floor);
}

enum sbx_err
admit_judge(const struct request *request, const struct gate_settings *settings,
    uid_t trusted_owner, uint64_t now, struct decision *ret,
    struct revoked_list *ret_list, struct sbx_why *why)
{
	enum sbx_err err = decide(request, settings, now, ret, why);

	*ret_list = (struct revoked_list){ .in_force = false };
	if (err != SBX_OK)
		return err;
	return revoked_check(
	    settings, trusted_owner, now, &ret->cert, ret->ca, ret_list, why);
}

/*
 * A list that is in force is remembered whatever it says of this certificate:
 * the one before may have let it in.
 */
static enum sbx_err
judge(const struct admit_context *context, const struct request *request,
    const struct state *state, uint64_t now, struct decision *ret,
    struct sbx_why *why)
{
	struct revoked_list list;
	enum sbx_err newest,
	    err = admit_judge(request, context->settings,
		context->trusted_owner, now, ret, &list, why);

	if (!list.in_force)
		return err;
	newest = revoked_newest(state, &list, err == SBX_OK ? why : NULL);
	return err != SBX_OK ? err : newest;
}

/*
 * Ended, but else in order: a stranger's certificate, signed by whomever,
 * must not make a clock that is ahead for a moment the time that counts.
 */
static bool
was_good(const struct admit_context *context, const struct request *request,
    const struct cert *cert)
{
	struct decision earlier;

	return decide(request, context->settings, cert->valid_after, &earlier,
		   NULL) == SBX_OK;
}

static enum sbx_err
admit_at(const struct admit_context *context, const struct request *request,
    const struct state *state, uint64_t floor, struct decision *ret,
    struct sbx_why *why)
{
	uint64_t now = context->now;
	bool late;
	enum sbx_err err =
	    judge(context, request, state, now > floor ? now : floor, ret, why);

	if (err == SBX_EXPIRED) {
		/* So that it stays so; it is denied whatever comes of it. */
		if (now > floor && was_good(context, request, &ret->cert) &&
		    keep(state, now, /* wait= */ true, NULL) != SBX_OK)
			return err;
		return expired(context, floor, ret, why);
	}
	if (err != SBX_OK)
		return err;
	late = now > floor && now - floor >= FLOOR_STEP;
	if (late || ret->single_use)
		err = keep(state, late ? now : floor, /* wait= */ false, why);
	if (!ret->single_use)
		return SBX_OK;
	return err != SBX_OK ? err : claim(context, state, ret, why);
}

enum sbx_err
admit(const struct admit_context *context, const struct request *request,
    struct decision *ret, struct sbx_why *why)
{
	const struct gate_settings *settings = context->settings;
	cleanup_state struct state state = STATE_INIT;
	struct revoked_list list;
	uint64_t floor = 0;
	enum sbx_err err;

	*ret = (struct decision){ .parsed = false };
	if (settings->state_dir[0] == '\0')
		return admit_judge(request, settings, context->trusted_owner,
		    context->now, ret, &list, why);
	err =
	    state_open(settings->state_dir, context->state_owner, &state, why);
	if (err == SBX_OK)
		err = floor_read(&state, &floor, why);
	if (err == SBX_OK)
		return admit_at(context, request, &state, floor, ret, why);
	/* Denied in any case; the log says over which certificate. */
	if (decide(request, settings, context->now, ret, NULL) != SBX_OK)
		return err;
	return err;
}
