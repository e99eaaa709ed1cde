/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "proxycmd/doctor/capture.h"
#include "proxycmd/doctor/check.h"

#define QUICK 20000 /* milliseconds */
#define OUTPUT_MAX 65536
#define OPTIONS_MAX 40

enum sbx_err
doctor_ssh(const struct doctor *doctor, const char *const before[],
    const char *host, const char *const after[], unsigned milliseconds,
    struct buf *ret, int *ret_status)
{
	const char *argv[OPTIONS_MAX] = { "ssh" };
	size_t n = 1;

	if (*doctor->request->ssh_config != '\0') {
		argv[n++] = "-F";
		argv[n++] = doctor->request->ssh_config;
	}
	while (*before != NULL && n < OPTIONS_MAX - 3)
		argv[n++] = *before++;
	argv[n++] = host;
	while (*after != NULL && n < OPTIONS_MAX - 1)
		argv[n++] = *after++;
	argv[n] = NULL;
	return capture_run(
	    argv, deadline_in(milliseconds), ret, ret_status, NULL);
}

bool
doctor_host_name(
    const char *ssh_config, const char *host, size_t size, char *ret)
{
	static const char *const options[] = { "-G", NULL };
	static const char *const none[] = { NULL };
	const struct doctor_request request = { .ssh_config = ssh_config };
	const struct doctor doctor = { .request = &request };
	cleanup_buf struct buf config = BUF_INIT(OUTPUT_MAX);
	int status = 0;

	return *host != '-' &&
	    doctor_ssh(&doctor, options, host, none, QUICK, &config, &status) ==
	    SBX_OK &&
	    status == 0 && doctor_find(&config, "hostname ", size, ret);
}

enum sbx_err
doctor_ask_config(
    const struct doctor *doctor, const char *host, bool loud, struct buf *ret)
{
	static const char *const none[] = { NULL };
	/* With "yes" it wants a command, which RemoteCommand forbids. */
	const char *const options[] = { "-G", "-o",
		"ForkAfterAuthentication=no", loud ? "-vvv" : NULL, NULL };
	int status = 0;
	enum sbx_err err =
	    doctor_ssh(doctor, options, host, none, QUICK, ret, &status);

	return err == SBX_OK && status != 0 ? SBX_CONFIG : err;
}

bool
doctor_has(const struct buf *config, const char *key, const char *part,
    const char *host)
{
	struct view rest = buf_view(config), line;
	size_t len = strlen(key);
	const char *name = strstr(part, "%s");
	char text[NAME_ALIAS_MAX + 64];
	bool there = false;

	(void)snprintf(text, sizeof(text), "%.*s%s%s",
	    name == NULL ? (int)strlen(part) : (int)(name - part), part,
	    name == NULL ? "" : host, name == NULL ? "" : name + 2);
	while (text_next_line(&rest, &line)) {
		while (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len <= len ||
		    strncasecmp((const char *)line.p, key, len) != 0 ||
		    line.p[len] != ' ')
			continue;
		there = true;
		line = VIEW(line.p + len, line.len - len);
		/* With a blank before it, it is all of the value. */
		if (*text == ' ' ? view_eq_str(line, text)
				 : *text != '\0' &&
			    memmem(line.p, line.len, text, strlen(text)) !=
				NULL)
			return true;
	}
	return *text == '\0' && !there;
}

void
doctor_openssh(struct doctor *doctor, struct finding *ret)
{
	static const char *const argv[] = { "ssh", "-V", NULL };
	static const char mark[] = "OpenSSH_";
	cleanup_buf struct buf says = BUF_INIT(4096);
	struct sbx_why why = { "" };
	unsigned major = 0, minor = 0;
	char version[80];
	int status = 0;

	(void)doctor;
	if (capture_run(argv, deadline_in(QUICK), &says, &status, &why) !=
		SBX_OK ||
	    status != 0) {
		doctor_say(ret, DOCTOR_FAIL,
		    "install OpenSSH's client, and put it in your PATH",
		    "ssh cannot be run");
		return;
	}
	if (!doctor_find(&says, mark, sizeof(version), version) ||
	    sscanf(version, "%u.%u", &major, &minor) != 2) {
		doctor_say(ret, DOCTOR_WARN, "use OpenSSH 9.2 or later",
		    "ssh is %.60s", buf_text(&says));
		return;
	}
	if (major < 9 || (major == 9 && minor < 2))
		doctor_say(ret, DOCTOR_WARN, "use OpenSSH 9.2 or later",
		    "OpenSSH %u.%u is older than what this was tested with",
		    major, minor);
	else
		doctor_say(ret, DOCTOR_OK, "", "OpenSSH %u.%u", major, minor);
}
