/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/text.h"
#include "proxycmd/doctor/check.h"
#include "proxycmd/fdpass.h"

#define SLOW 300 /* milliseconds */

static const char *
cure_of(enum shell_verdict verdict)
{
	switch (verdict) {
	case SHELL_LOUD:
		return "let it print only where the shell is interactive";
	case SHELL_ENDS:
		return "let it end only shells that are interactive";
	case SHELL_STUCK:
		return "let it wait, or take its time, only where the shell is "
		       "interactive";
	case SHELL_QUIET:
		break;
	}
	return "";
}

static void
say_quiet(const struct doctor *doctor, const struct shell *shell,
    const struct shell_finding *found, bool was_off, struct finding *ret)
{
	const struct doctor_request *r = doctor->request;
	struct sbx_why why = { "" };

	if (was_off && fdpass_switch_on(r->cache, r->now, &why) != SBX_OK)
		doctor_say(ret, DOCTOR_WARN, "", "%s", why.text);
	else if (found->ms > SLOW)
		doctor_say(ret, DOCTOR_WARN,
		    "make its start-up files faster where it is not "
		    "interactive",
		    "each ssh waits %u ms for %s to start", found->ms,
		    shell->path);
	else
		doctor_say(ret, DOCTOR_OK, "", "%s prints nothing (%u ms)%s",
		    shell->path, found->ms,
		    was_off ? "; ssh is handed connections again" : "");
}

static const char *
or_null(const char *text)
{
	return *text == '\0' ? NULL : text;
}

/*
 * As programs would start ssh that have no shell around them, where bash reads
 * what it leaves alone at a terminal; as it would be from here; and as it was
 * when something was noted.
 */
void
doctor_shell(struct doctor *doctor, struct finding *ret)
{
	const struct doctor_request *r = doctor->request;
	struct shell_finding found = { .verdict = SHELL_QUIET };
	struct fdpass_note note = { .shell = "" };
	struct shell shell[3];
	char says[SHELL_SAYS];
	bool off = fdpass_is_off(r->cache, &note);
	size_t i = 0;

	shell_find(&shell[1]);
	shell[0] = shell[1];
	shell[0].level = "0";
	shell[2] = (struct shell){ note.shell, or_null(note.level),
		or_null(note.bash_env) };
	for (i = 0; i < 3 && found.verdict == SHELL_QUIET; i++) {
		if (*shell[i].path != '\0' && shell_is_exposed(&shell[i]))
			shell_judge(&shell[i], r->paths->home, &found);
	}
	if (found.verdict == SHELL_QUIET) {
		say_quiet(doctor, &shell[0], &found, off, ret);
		return;
	}
	shell_put(&shell[i - 1], &found, says);
	if (!found.relay)
		doctor_say(ret, DOCTOR_FAIL, cure_of(found.verdict),
		    "ssh starts %s, and does not get through: %s",
		    shell[i - 1].path, says);
	else
		doctor_say(ret, DOCTOR_WARN, cure_of(found.verdict),
		    "%s: ssh %s a relay for that, which is slower", says,
		    off ? "uses" : "will use");
}
