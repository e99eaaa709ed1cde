/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "proxycmd/doctor/check.h"

#define SKEW_WARN 10	/* seconds */
#define SKEW_ALLOWED 60 /* what certificates allow for (CHECK_SKEW_DEFAULT) */
#define SLOW_MS 1000
#define RECENT 600 /* seconds since the gate has refused somebody */

static bool
fact(const struct doctor *doctor, const char *key, char ret[static DOCTOR_TEXT])
{
	return doctor_find(doctor->health, key, DOCTOR_TEXT, ret);
}

static bool
number(const struct doctor *doctor, const char *key, uint64_t *ret)
{
	char text[DOCTOR_TEXT];

	return fact(doctor, key, text) &&
	    text_uint(text, 0, INT64_MAX, ret) == SBX_OK;
}

void
doctor_config(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT];

	if (fact(doctor, "config_error=", text))
		doctor_say(
		    ret, DOCTOR_FAIL, "see sandbox-ssh_config(5)", "%s", text);
	else
		doctor_say(ret, DOCTOR_OK, "", "can be used");
}

void
doctor_file(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT];

	if (!doctor_find_nth(doctor->health, "file_error=", doctor->round,
		sizeof(text), text))
		return;
	doctor_say(ret, DOCTOR_FAIL, "mend that: no credentials can be fetched",
	    "%s", text);
	ret->more = true;
}

void
doctor_token(struct doctor *doctor, struct finding *ret)
{
	char source[DOCTOR_TEXT], text[DOCTOR_TEXT];

	if (!fact(doctor, "token=", source))
		return;
	if (fact(doctor, "token_error=", text))
		doctor_say(
		    ret, DOCTOR_FAIL, "see sandbox-ssh_config(5)", "%s", text);
	else if (strcmp(source, "none") == 0)
		doctor_say(ret, DOCTOR_OK, "", "none is configured");
	else
		doctor_say(ret, DOCTOR_OK, "", "from %s", source);
}

void
doctor_broker(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT], place[DOCTOR_TEXT] = "it";
	uint64_t ms;

	if (fact(doctor, "broker_error=", text)) {
		doctor_say(ret, DOCTOR_FAIL,
		    getenv("SANDBOX_BROKER") == NULL
			? "mend that, or the url in sandbox-ssh_config(5)"
			: "mend that, or SANDBOX_BROKER, which names it",
		    "%s", text);
		return;
	}
	if (!number(doctor, "broker_ms=", &ms) ||
	    !fact(doctor, "broker=", place))
		return;
	if (fact(doctor, "broker_warns=", text))
		doctor_say(
		    ret, DOCTOR_WARN, "tell who runs the broker", "%s", text);
	else if (ms > SLOW_MS)
		doctor_say(ret, DOCTOR_WARN,
		    "look at the network between here and there",
		    "%s took %llu ms to answer", place, (unsigned long long)ms);
	else
		doctor_say(ret, DOCTOR_OK, "", "%s answers in %llu ms", place,
		    (unsigned long long)ms);
}

/* Of two, each knows its own sandboxes only. */
void
doctor_other_broker(struct doctor *doctor, struct finding *ret)
{
	const struct paths *paths = doctor->request->paths;
	char other[DOCTOR_TEXT], asked[DOCTOR_TEXT], cure[DOCTOR_TEXT];

	if (!fact(doctor, "other_broker=", other) ||
	    !fact(doctor, "broker=", asked))
		return;
	(void)snprintf(cure, sizeof(cure),
	    "name the one you mean as url in [broker] of %.110s/config, or end "
	    "yours: sandboxctl kill what it has, %.110s --stop, rm -r %.110s",
	    paths->config, paths->sandboxd, paths->state);
	doctor_say(ret, DOCTOR_WARN, cure,
	    "you have a broker of your own and this machine has one: asked is "
	    "%.200s, not %.200s",
	    asked, other);
}

void
doctor_access(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT];
	uint64_t ms;

	if (fact(doctor, "access_error=", text))
		doctor_say(ret, DOCTOR_FAIL,
		    "set token_file, or ask who runs the broker for access",
		    "%s", text);
	else if (number(doctor, "broker_ms=", &ms))
		doctor_say(ret, DOCTOR_OK, "", "the broker knows you");
}

void
doctor_clock(struct doctor *doctor, struct finding *ret)
{
	static const char cure[] =
	    "set the clocks: certificates are judged by them";
	uint64_t theirs, now = doctor->request->now;
	uint64_t skew;

	if (!number(doctor, "broker_time=", &theirs))
		return;
	skew = theirs > now ? theirs - now : now - theirs;
	/* Not a failure: credentials are judged by the broker's. */
	if (skew > SKEW_WARN)
		doctor_say(ret, DOCTOR_WARN, cure,
		    "this clock is %llu s %s the broker's",
		    (unsigned long long)skew,
		    theirs > now ? "behind" : "ahead of");
	else
		doctor_say(ret, DOCTOR_OK, "", "%llu s from the broker's",
		    (unsigned long long)skew);
}

/* What it cannot do is no fault of anybody's here. */
void
doctor_platform(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT];

	if (fact(doctor, "lacks=", text))
		doctor_say(
		    ret, DOCTOR_OK, "", "its gateway cannot do: %s", text);
}

/*
 * The one who was refused need not be who asks; and since then somebody may
 * have been let in.
 */
void
doctor_gate(struct doctor *doctor, struct finding *ret)
{
	uint64_t when, ago, full, now = doctor->request->now;
	char text[DOCTOR_TEXT], *reason;
	enum sbx_err err;

	if (number(doctor, "full=", &full)) {
		doctor_say(ret, DOCTOR_FAIL,
		    "end one of them; whoever connects waits for that",
		    "%llu connections, the limit", (unsigned long long)full);
		return;
	}
	if (!fact(doctor, "refused=", text))
		return;
	reason = strchr(text, ' ');
	if (reason == NULL)
		return;
	*reason++ = '\0';
	if (text_uint(text, 0, INT64_MAX, &when) != SBX_OK ||
	    !sbx_err_find(reason, &err) || when > now + SKEW_ALLOWED)
		return;
	ago = now > when ? now - when : 0;
	doctor_say(ret, ago <= RECENT ? DOCTOR_WARN : DOCTOR_OK,
	    ago <= RECENT ? "see the reasons in sandbox-authkeys(8)" : "",
	    "it refused somebody %llu %s ago: %s (%s)",
	    (unsigned long long)(ago < 120 ? ago : ago / 60),
	    ago < 120 ? "s" : "min", sbx_err_text(err), reason);
}
