/* SPDX-License-Identifier: ISC */
#include "proxycmd/connect.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "proxycmd/dial/dial.h"
#include "proxycmd/dial/endpoint.h"
#include "proxycmd/fdpass.h"
#include "proxycmd/session.h"

/*
 * Milliseconds for all endpoints together.  What the cache says may be out
 * of date: it gets less, so that asking anew still fits into the 15 seconds
 * that some programs give ssh.
 */
#define DIAL_CACHED 4000
#define DIAL_WOKEN 10000
#define RETRY_FIRST 20 /* milliseconds */
#define RETRY_LONGEST 500

/* The endpoints of a session that this version can dial. */
struct targets {
	size_t count;
	struct endpoint item[SESSION_ENDPOINTS];
};

_Static_assert(SESSION_ENDPOINTS <= DIAL_ENDPOINTS, "all can be raced");

/* At least one, or why there is none. */
static enum sbx_err
find_targets(
    const struct session *session, struct targets *ret, struct sbx_why *why)
{
	enum sbx_err err = sbx_fail(why, SBX_UNAVAILABLE,
	    "the broker named no endpoint for %s", session->id);

	ret->count = 0;
	for (size_t i = 0; i < session->endpoint_count; i++) {
		enum sbx_err parsed = endpoint_parse(
		    session->endpoint[i], &ret->item[ret->count], why);

		if (parsed == SBX_OK)
			ret->count++;
		else
			err = parsed;
	}
	return ret->count > 0 ? SBX_OK : err;
}

/* A sandbox that was just started may need a moment to listen. */
static enum sbx_err
dial_patiently(const struct targets *targets, const struct dial_setup *setup,
    struct deadline deadline, int *ret_fd, struct sbx_why *why)
{
	int pause = RETRY_FIRST;
	enum sbx_err err, before = SBX_OK;
	struct sbx_why own = { "" };

	while ((err = dial_race(targets->item, targets->count, setup, deadline,
		    ret_fd, &own)) == SBX_UNAVAILABLE &&
	    deadline_left(deadline) > pause) {
		before = err;
		*why = own;
		(void)poll(NULL, 0, pause);
		pause = 2 * pause > RETRY_LONGEST ? RETRY_LONGEST : 2 * pause;
	}
	/* The last one was cut short: what the one before it met says more. */
	if (err == SBX_TIMEOUT && before != SBX_OK)
		return before;
	*why = own;
	return err;
}

static enum sbx_err
read_prepared(const struct connect_request *request, struct session *ret,
    struct sbx_why *why)
{
	enum sbx_err err = session_find(request->cache, request->alias, ret);

	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_INTERNAL,
	    "%s/%s/session was written but cannot be used: %s", request->cache,
	    request->alias->text,
	    err == SBX_NOT_FOUND ? "it is missing" : "it is damaged");
}

/* Let sandbox-resolve do it, then look again at what it wrote. */
static enum sbx_err
refresh(const struct connect_request *request, const char *verb,
    struct session *ret, int *ret_status, struct sbx_why *why)
{
	enum sbx_err err = delegate_run(request->delegate, /* quiet= */ false,
	    verb, request->alias, ret_status, why);

	if (err != SBX_OK || *ret_status != 0)
		return err;
	return read_prepared(request, ret, why);
}

enum sbx_err
connect_open(const struct connect_request *request, int *ret_fd,
    int *ret_status, struct sbx_why *why)
{
	struct session session;
	struct targets targets;
	struct sbx_why last = { "" };
	enum sbx_err err;

	*ret_status = 0;
	if (session_find(request->cache, request->alias, &session) != SBX_OK ||
	    !session_is_valid(&session, request->now) ||
	    strcmp(session.origin, request->origin) != 0) {
		err = refresh(request, "prepare", &session, ret_status, why);
		if (err != SBX_OK || *ret_status != 0)
			return err;
	}
	if (session.running) {
		err = find_targets(&session, &targets, why);
		if (err != SBX_OK)
			return err;
		err = dial_race(targets.item, targets.count, request->dial,
		    deadline_in(DIAL_CACHED), ret_fd, why);
		if (err != SBX_UNAVAILABLE && err != SBX_TIMEOUT)
			return err;
	}
	/* It sleeps, or it has moved or stopped since the session was made. */
	err = refresh(request, "wake", &session, ret_status, why);
	if (err != SBX_OK || *ret_status != 0)
		return err;
	err = find_targets(&session, &targets, why);
	if (err != SBX_OK)
		return err;
	err = dial_patiently(
	    &targets, request->dial, deadline_in(DIAL_WOKEN), ret_fd, &last);
	if (err == SBX_OK)
		return SBX_OK;
	if (err != SBX_UNAVAILABLE && err != SBX_TIMEOUT)
		return sbx_fail(why, err, "%.500s", sbx_why_text(&last, err));
	return sbx_fail(why, err,
	    "%s runs but does not answer: %.300s: see sandboxctl show %s",
	    session.id, sbx_why_text(&last, err), session.id);
}

enum sbx_err
connect_lost(
    const struct connect_request *request, bool certain, struct sbx_why *why)
{
	struct shell_finding finding = { .verdict = SHELL_LOUD, .relay = true };
	struct sbx_why own = { "" };
	struct shell shell;

	/* ssh may have been its terminal's first process. */
	(void)signal(SIGHUP, SIG_IGN);
	shell_find(&shell);
	if (!shell_is_exposed(&shell) ||
	    fdpass_switch_off(
		request->cache, &shell, &finding, request->now, NULL) != SBX_OK)
		return sbx_fail(why, SBX_UNAVAILABLE, "ssh is gone");
	shell_judge(&shell, request->dial->paths->home, &finding);
	/* Quiet by now, perhaps; but what waits there was printed. */
	if (finding.verdict == SHELL_QUIET && certain)
		finding = (struct shell_finding){ .verdict = SHELL_LOUD,
			.relay = true };
	if (finding.relay &&
	    fdpass_switch_off(
		request->cache, &shell, &finding, request->now, &own) == SBX_OK)
		return sbx_fail(why, SBX_UNAVAILABLE, "%s", own.text);
	if (fdpass_switch_on(request->cache, request->now, &own) != SBX_OK)
		return sbx_fail(why, SBX_IO, "%s", own.text);
	return sbx_fail(why, SBX_UNAVAILABLE, "ssh is gone");
}
