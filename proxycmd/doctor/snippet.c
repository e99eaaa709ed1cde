/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "proxycmd/doctor/check.h"
#include "proxycmd/doctor/source.h"
#include "proxycmd/setup/setup.h"

#define OUTPUT_MAX 65536

/*
 * What "ssh -G" must say for ssh to get in.  Of several values one must be
 * there; "%s" is the name, "" means no such line.  effect: what another value
 * does.
 */
static const struct rule {
	const char *option;
	const char *want[4];
	enum doctor_level level;
	const char *effect;
} rules[] = {
	{ "ProxyCommand", { "sandbox-proxy" }, DOCTOR_FAIL,
	    "ssh does not use sandbox-proxy" },
	/* These add up: ours is among them wherever the Include is read. */
	{ "IdentityFile", { "%h/id_ed25519", "%s/id_ed25519" }, DOCTOR_FAIL,
	    "ssh does not know the key" },
	{ "CertificateFile", { "%h/id_ed25519", "%s/id_ed25519" }, DOCTOR_WARN,
	    "another CertificateFile would hide the certificate" },
	{ "HostName", { " %s" }, DOCTOR_FAIL, "ssh goes to another host" },
	{ "UserKnownHostsFile", { "%s/known_hosts" }, DOCTOR_FAIL,
	    "ssh does not know the host key" },
	{ "StrictHostKeyChecking", { " true", " yes" }, DOCTOR_FAIL,
	    "ssh takes other host keys, too" },
	{ "VerifyHostKeyDNS", { "", " false", " no" }, DOCTOR_WARN,
	    "ssh takes host keys from DNS, too" },
	{ "KnownHostsCommand", { "", " none", "sandbox-proxy" }, DOCTOR_WARN,
	    "ssh takes host keys from a command, too" },
	{ "UpdateHostKeys", { " false", " no" }, DOCTOR_WARN,
	    "ssh pins host keys by itself" },
	{ "PubkeyAuthentication",
	    { " true", " yes", " unbound", " host-bound" }, DOCTOR_FAIL,
	    "ssh offers no certificate" },
	{ "PreferredAuthentications", { "", "publickey" }, DOCTOR_FAIL,
	    "ssh offers no certificate" },
	{ "RemoteCommand", { "", " none" }, DOCTOR_FAIL,
	    "ssh takes no other command, so scp, rsync and git fail" },
	{ "SessionType", { "", " default" }, DOCTOR_FAIL,
	    "ssh starts neither shell nor command" },
	{ "StdinNull", { "", " no", " false" }, DOCTOR_FAIL,
	    "no input gets there, so scp, rsync and git fail" },
	{ "RequestTTY", { "", " auto", " no", " yes" }, DOCTOR_WARN,
	    "a terminal spoils what rsync and git send" },
	{ "Tunnel", { "", " false", " no" }, DOCTOR_WARN,
	    "sandboxes forward no tunnel" },
};

const char *
doctor_cure(const struct doctor *doctor)
{
	return strcmp(doctor->host, doctor->name) == 0
	    ? "move it below the Include of sandbox-proxy, or make it not "
	      "match these hosts"
	    : "move it below the Include of sandbox-proxy, and the HostName "
	      "above it";
}

static bool
is_met(const struct rule *rule, const struct buf *config, const char *host)
{
	for (size_t i = 0; i < 4 && rule->want[i] != NULL; i++) {
		if (doctor_has(config, rule->option, rule->want[i], host))
			return true;
	}
	return false;
}

/* The Include stands in a block that is not for this host. */
static bool
say_below(const struct doctor_request *request, struct finding *ret)
{
	cleanup_buf struct buf block = BUF_INIT(DOCTOR_TEXT);
	char file[PATHS_MAX];

	if (*request->ssh_config != '\0')
		(void)snprintf(file, sizeof(file), "%s", request->ssh_config);
	else if (paths_join(request->paths->home, ".ssh/config", file) !=
	    SBX_OK)
		return false;
	if (!setup_is_below(file, request->snippet, &block))
		return false;
	doctor_say(ret, DOCTOR_FAIL, "put a line 'Match all' before it",
	    "ssh does not use sandbox-proxy: its Include stands below '%s'",
	    buf_text(&block));
	return true;
}

/* ProxyJump and ProxyCommand: the first of them counts. */
static bool
find_source(
    const struct doctor *doctor, const struct rule *rule, struct source *ret)
{
	struct source jump;
	bool found =
	    source_find_nth(doctor->sources, rule->option, /* n= */ 0, ret);

	if (rule == &rules[0] &&
	    source_find_nth(doctor->sources, "ProxyJump", /* n= */ 0, &jump) &&
	    (!found || !doctor_has(doctor->config, "ProxyJump", "", ""))) {
		*ret = jump;
		(void)snprintf(ret->option, sizeof(ret->option), "ProxyJump");
		return true;
	}
	(void)snprintf(ret->option, sizeof(ret->option), "%s", rule->option);
	return found;
}

/* Another name than the one that was given, so that no line of ours fits. */
static bool
find_host_name(const struct doctor *doctor, struct source *ret)
{
	char line[NAME_ALIAS_MAX + 2];

	(void)snprintf(line, sizeof(line), " %s", doctor->name);
	if (doctor_has(doctor->config, "HostName", line, "") ||
	    !source_find_nth(doctor->sources, "HostName", /* n= */ 0, ret))
		return false;
	(void)snprintf(ret->option, sizeof(ret->option), "HostName");
	return true;
}

static void
say_broken(
    const struct doctor *doctor, const struct rule *rule, struct finding *ret)
{
	struct source source;

	if (rule == &rules[0] &&
	    !is_met(&rules[1], doctor->config, doctor->name) &&
	    say_below(doctor->request, ret))
		return;
	if (find_source(doctor, rule, &source) ||
	    (rule == &rules[0] && find_host_name(doctor, &source)))
		doctor_say(ret, rule->level, doctor_cure(doctor),
		    "%s %s at %s: %s", source.option, source.value,
		    source.place, rule->effect);
	else if (rule == &rules[0] && strcmp(doctor->host, doctor->name) != 0 &&
	    source_find_nth(doctor->sources, "HostName", /* n= */ 0, &source))
		doctor_say(ret, rule->level,
		    "move that block above the Include of sandbox-proxy, and "
		    "'Match all' between them",
		    "HostName %s at %s: %s for it", source.value, source.place,
		    rule->effect);
	else if (rule == &rules[0])
		doctor_say(ret, rule->level, "run sandbox-proxy setup", "%s",
		    rule->effect);
	else
		doctor_say(ret, rule->level,
		    "make it anew with sandbox-proxy print-config",
		    "the snippet that is included says nothing of %s: %s",
		    rule->option, rule->effect);
}

/* The last line that is no debugging: why ssh cannot read it. */
static void
last_line(const struct buf *says, size_t size, char *ret)
{
	struct view rest = buf_view(says), line;

	(void)snprintf(ret, size, "ssh says nothing");
	while (text_next_line(&rest, &line)) {
		if (line.len > 5 && memcmp(line.p, "debug", 5) != 0 &&
		    memcmp(line.p, "OpenS", 5) != 0 &&
		    memmem(line.p, line.len, "terminating", 11) == NULL)
			(void)snprintf(ret, size, "%.*s",
			    (int)(line.len -
				(line.p[line.len - 1] == '\r' ? 1 : 0)),
			    (const char *)line.p);
	}
}

#define RULES (sizeof(rules) / sizeof(rules[0]))

/* The nth fault, if there are so many. */
static bool
find_fault(struct doctor *doctor, size_t n, struct finding *ret)
{
	for (size_t i = 0; i < RULES + DOCTOR_OPTIONS; i++) {
		bool sound = i < RULES
		    ? is_met(&rules[i], doctor->config, doctor->name)
		    : doctor_options[i - RULES](doctor, ret);

		if (sound || n-- > 0)
			continue;
		if (i < RULES)
			say_broken(doctor, &rules[i], ret);
		/* Where it is not used, nothing else is of interest. */
		ret->more = doctor->ssh_is_ours;
		return true;
	}
	*ret = (struct finding){ .level = DOCTOR_NONE };
	return false;
}

void
doctor_snippet(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT / 2];

	if (doctor->round == 0 &&
	    doctor_ask_config(doctor, doctor->host, /* loud= */ true,
		doctor->config) != SBX_OK) {
		last_line(doctor->config, sizeof(text), text);
		doctor_say(ret, DOCTOR_FAIL, "mend your ssh_config",
		    "ssh cannot read its configuration: %s", text);
		return;
	}
	if (doctor->round == 0) {
		source_list(doctor->config, doctor->request->ssh_config,
		    doctor->request->paths->home, doctor->sources);
		doctor->ssh_is_ours =
		    is_met(&rules[0], doctor->config, doctor->name);
	}
	if (find_fault(doctor, doctor->round, ret))
		doctor->is_shadowed =
		    doctor->is_shadowed || ret->level == DOCTOR_FAIL;
	else if (doctor->round == 0)
		doctor_say(ret, DOCTOR_OK, "",
		    "included, and nothing stands in its way");
}

/* Would ssh ask us about names that end in that? */
static bool
is_asked(struct doctor *doctor, const char *suffix)
{
	cleanup_buf struct buf config = BUF_INIT(OUTPUT_MAX);
	char host[DOCTOR_TEXT + 16];

	/* As the probe of the snippet's own pattern: it is no alias. */
	(void)snprintf(host, sizeof(host), "doctor-.%s", suffix);
	return doctor_ask_config(doctor, host, /* loud= */ false, &config) ==
	    SBX_OK &&
	    is_met(&rules[0], &config, host);
}

/* Those that lack something first, then what ssh makes of the others. */
void
doctor_domain(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT / 2], cure[DOCTOR_TEXT];
	size_t faults = 0;

	while (doctor_find_nth(
	    doctor->health, "domain_error=", faults, sizeof(text), text)) {
		if (faults++ < doctor->round)
			continue;
		doctor_say(
		    ret, DOCTOR_FAIL, "see sandbox-ssh_config(5)", "%s", text);
		ret->more = true;
		return;
	}
	if (!doctor->ssh_is_ours ||
	    !doctor_find_nth(doctor->health, "domain=", doctor->round - faults,
		sizeof(text), text))
		return;
	(void)snprintf(cure, sizeof(cure),
	    "make it end in .sandbox, or put what 'sandbox-proxy --suffix %s "
	    "print-config' prints into your ssh_config",
	    text);
	if (is_asked(doctor, text))
		doctor_say(ret, DOCTOR_OK, "",
		    "ssh asks sandbox-proxy about names in %s", text);
	else
		doctor_say(ret, DOCTOR_WARN, cure,
		    "ssh does not ask sandbox-proxy about names in "
		    "[domain \"%s\"]",
		    text);
	ret->more = true;
}
