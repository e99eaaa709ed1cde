/* SPDX-License-Identifier: ISC */
#include "proxycmd/doctor/doctor.h"

#include <stdarg.h>
#include <string.h>

#include "certs/json.h"
#include "common/text.h"
#include "proxycmd/doctor/capture.h"
#include "proxycmd/doctor/check.h"
#include "proxycmd/doctor/source.h"
#include "proxycmd/hosts.h"

#define OUTPUT_MAX 65536
#define CONFIG_MAX (4 * 1024 * 1024) /* of ssh -vvv -G */
#define HEALTH_TIME 40000 /* milliseconds; each request has its own limit */

/* In this order: what comes later may rest on what came before. */
static const struct {
	const char *name;
	doctor_check *run;
} checks[] = {
	{ "openssh", doctor_openssh },
	{ "snippet", doctor_snippet },
	{ "shell", doctor_shell },
	{ "cache", doctor_cache },
	{ "configuration", doctor_config },
	{ "domain", doctor_domain },
	{ "file", doctor_file },
	{ "token", doctor_token },
	{ "broker", doctor_broker },
	{ "other broker", doctor_other_broker },
	{ "access", doctor_access },
	{ "clock", doctor_clock },
	{ "certificate", doctor_certificate },
	{ "key", doctor_key },
	{ "endpoint", doctor_endpoint },
	{ "host key", doctor_host_key },
	{ "login", doctor_login },
	{ "gate", doctor_gate },
	{ "platform", doctor_platform },
};

static const char *const levels[] = {
	[DOCTOR_NONE] = "",
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_FAIL] = "fail",
};

void
doctor_say(struct finding *ret, enum doctor_level level, const char *cure,
    const char *fmt, ...)
{
	va_list args;

	ret->level = level;
	(void)snprintf(ret->cure, sizeof(ret->cure), "%s", cure);
	va_start(args, fmt);
	(void)vsnprintf(ret->text, sizeof(ret->text), fmt, args);
	va_end(args);
}

bool
doctor_find(const struct buf *text, const char *key, size_t size, char *ret)
{
	return doctor_find_nth(text, key, /* n= */ 0, size, ret);
}

bool
doctor_find_nth(
    const struct buf *text, const char *key, size_t n, size_t size, char *ret)
{
	struct view rest = buf_view(text), line;
	size_t len = strlen(key);

	while (text_next_line(&rest, &line)) {
		if (line.len < len || memcmp(line.p, key, len) != 0 || n-- > 0)
			continue;
		while (line.len > len && line.p[line.len - 1] == '\r')
			line.len--;
		(void)snprintf(ret, size, "%.*s", (int)(line.len - len),
		    (const char *)line.p + len);
		return true;
	}
	return false;
}

static bool
ends_in(const char *text, char last)
{
	size_t len = strlen(text);

	return len > 0 && text[len - 1] == last;
}

static void
put_line(const char *name, const struct finding *f, struct buf *ret)
{
	buf_printf(ret, "%-4s  %s: ", levels[f->level], name);
	text_escape(VIEW_STR(f->text), DOCTOR_TEXT, /* quote= */ false, ret);
	if (*f->cure != '\0') {
		buf_put_text(ret, ends_in(f->text, '?') ? " " : ": ");
		text_escape(
		    VIEW_STR(f->cure), DOCTOR_TEXT, /* quote= */ false, ret);
	}
	buf_put_text(ret, "\n");
}

static void
put_json(const char *name, const struct finding *f, bool first, struct buf *ret)
{
	const char *const members[][2] = {
		{ "check", name },
		{ "level", levels[f->level] },
		{ "text", f->text },
		{ "cure", f->cure },
	};

	buf_put_text(ret, first ? "\n  {" : ",\n  {");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buf_printf(
		    ret, "%s\"%s\": ", i == 0 ? " " : ", ", members[i][0]);
		json_put_string(ret, VIEW_STR(members[i][1]));
	}
	buf_put_text(ret, " }");
}

static enum sbx_err
ask_health(struct doctor *doctor, struct sbx_why *why)
{
	const struct doctor_request *r = doctor->request;
	struct delegate_args args =
	    delegate_build(r->delegate, /* quiet= */ false, "health",
		r->alias == NULL ? NULL : r->alias->text);
	int status = 0;
	enum sbx_err err = capture_run(
	    args.v, deadline_in(HEALTH_TIME), doctor->health, &status, why);

	if (err == SBX_TIMEOUT) {
		buf_put_text(
		    doctor->health, "\nbroker_error=it does not answer\n");
		return SBX_OK;
	}
	if (err != SBX_OK || status == 0)
		return err;
	/* It knows the domains, and so which names are none. */
	if (status == EX_USAGE)
		return sbx_fail(why, SBX_BAD_NAME,
		    "'%s' is not a sandbox name: write ID.SUFFIX, or configure "
		    "a domain that it ends in",
		    r->alias == NULL ? "" : r->alias->text);
	if (status == CAPTURE_NO_PROGRAM)
		return sbx_fail(why, SBX_PROGRAM,
		    "cannot run %s: is sandbox-ssh installed completely?",
		    r->delegate->program);
	return sbx_fail(why, SBX_INTERNAL, "cannot run %s (status %d): %.*s",
	    r->delegate->program, status,
	    (int)strcspn(buf_text(doctor->health), "\n"),
	    buf_text(doctor->health));
}

/* What one check finds: a line each. */
static void
put_findings(struct doctor *doctor, size_t check, bool *sound, bool *first,
    struct buf *ret)
{
	struct finding finding = { .more = true };

	for (doctor->round = 0; finding.more; doctor->round++) {
		finding = (struct finding){ .level = DOCTOR_NONE };
		checks[check].run(doctor, &finding);
		if (finding.level == DOCTOR_NONE)
			return;
		*sound = *sound && finding.level != DOCTOR_FAIL;
		if (!doctor->request->json)
			put_line(checks[check].name, &finding, ret);
		else
			put_json(checks[check].name, &finding, *first, ret);
		*first = false;
	}
}

enum sbx_err
doctor_run(const struct doctor_request *request, struct buf *ret_report,
    bool *ret_sound, struct sbx_why *why)
{
	cleanup_buf struct buf health = BUF_INIT(OUTPUT_MAX);
	cleanup_buf struct buf config = BUF_INIT(CONFIG_MAX);
	cleanup_buf struct buf sources = BUF_INIT(SOURCE_LIST_MAX);
	cleanup_buf struct buf login = BUF_INIT(OUTPUT_MAX);
	struct doctor doctor = { .request = request,
		.host = request->alias == NULL ? request->probe : request->host,
		.name = request->alias == NULL ? request->probe
					       : request->alias->text,
		.health = &health,
		.config = &config,
		.sources = &sources,
		.login = &login };
	enum sbx_err err;
	bool sound = true, first = true;

	/* Before ssh is asked, which would stop at it. */
	doctor.healed = hosts_heal(request->cache, request->now);
	err = ask_health(&doctor, why);
	if (request->json)
		buf_put_text(ret_report, "[");
	for (size_t i = 0;
	     i < sizeof(checks) / sizeof(checks[0]) && err == SBX_OK; i++)
		put_findings(&doctor, i, &sound, &first, ret_report);
	if (request->json)
		buf_put_text(ret_report, "\n]\n");
	*ret_sound = sound;
	return err != SBX_OK ? err : buf_error(ret_report);
}
