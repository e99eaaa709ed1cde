/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>

#include "certs/key.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/doctor/capture.h"
#include "proxycmd/doctor/check.h"
#include "proxycmd/setup/setup.h"

#define OUTPUT_MAX 65536
#define QUICK 20000	/* milliseconds */
#define HANDSHAKE 30000 /* connect has limits of its own */
#define KNOWN_HOSTS_MAX 65536
#define PINNED_MAX 16

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

/*
 * What "ssh -G" must say.  A "%s" in part is the name; of two parts one must
 * be there, as newer versions expand %h and older ones do not.
 */
static const struct expectation {
	const char *key;
	const char *part[2];
	enum doctor_level level; /* if it is not so */
} expectations[] = {
	{ "proxycommand", { "sandbox-proxy", NULL }, DOCTOR_FAIL },
	/* These add up: ours is among them wherever the Include is read. */
	{ "identityfile", { "%h/id_ed25519", "%s/id_ed25519" }, DOCTOR_FAIL },
	{ "proxyusefdpass", { "yes", NULL }, DOCTOR_FAIL },
	{ "userknownhostsfile", { "%s/known_hosts", NULL }, DOCTOR_FAIL },
	{ "stricthostkeychecking", { "true", "yes" }, DOCTOR_FAIL },
	{ "identitiesonly", { "yes", NULL }, DOCTOR_WARN },
	{ "updatehostkeys", { "false", "no" }, DOCTOR_WARN },
};

/* Some line "key ..." holds the part. */
static bool
has(const struct buf *config, const char *key, const char *part)
{
	struct view rest = buf_view(config), line;
	size_t len = strlen(key);

	while (text_next_line(&rest, &line)) {
		if (line.len > len && memcmp(line.p, key, len) == 0 &&
		    line.p[len] == ' ' &&
		    memmem(line.p, line.len, part, strlen(part)) != NULL)
			return true;
	}
	return false;
}

static bool
is_met(
    const struct expectation *want, const struct buf *config, const char *host)
{
	for (size_t i = 0; i < 2 && want->part[i] != NULL; i++) {
		char part[NAME_ALIAS_MAX + 32];

		if (strncmp(want->part[i], "%s", 2) == 0)
			(void)snprintf(part, sizeof(part), "%s%s", host,
			    want->part[i] + 2);
		else
			(void)snprintf(part, sizeof(part), "%s", want->part[i]);
		if (has(config, want->key, part))
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

static void
say_shadowed(const struct doctor *doctor, const struct expectation *want,
    const struct buf *config, struct finding *ret)
{
	char key[64], value[DOCTOR_TEXT / 2] = "nothing";

	(void)snprintf(key, sizeof(key), "%s ", want->key);
	if (!doctor_find(config, key, sizeof(value), value))
		(void)snprintf(value, sizeof(value), "nothing");
	if (!is_met(&expectations[1], config, doctor->host) &&
	    say_below(doctor->request, ret))
		return;
	if (want == &expectations[0])
		doctor_say(ret, DOCTOR_FAIL,
		    "run sandbox-proxy setup; if that was done, move its "
		    "Include line above all others",
		    "ssh does not use sandbox-proxy (%s is %s)", want->key,
		    value);
	else
		doctor_say(ret, want->level,
		    "move the Include line of sandbox-proxy setup above all "
		    "others, or make yours not match these hosts",
		    "another line of your ssh_config sets %s to %s", want->key,
		    value);
}

static enum sbx_err
run_ssh(const struct doctor *doctor, const char *host,
    const char *const options[], unsigned milliseconds, struct buf *ret,
    int *ret_status)
{
	const char *argv[32] = { "ssh" };
	size_t n = 1;

	if (*doctor->request->ssh_config != '\0') {
		argv[n++] = "-F";
		argv[n++] = doctor->request->ssh_config;
	}
	while (*options != NULL && n < 29)
		argv[n++] = *options++;
	argv[n++] = host;
	argv[n] = NULL;
	return capture_run(
	    argv, deadline_in(milliseconds), ret, ret_status, NULL);
}

void
doctor_snippet(struct doctor *doctor, struct finding *ret)
{
	static const char *const options[] = { "-G", NULL };
	cleanup_buf struct buf config = BUF_INIT(OUTPUT_MAX);
	char user[SESSION_USER_LEN] = "";
	int status = 0;

	if (run_ssh(doctor, doctor->host, options, QUICK, &config, &status) !=
		SBX_OK ||
	    status != 0) {
		doctor_say(ret, DOCTOR_FAIL, "mend your ssh_config",
		    "ssh cannot read its configuration: %.*s",
		    (int)strcspn(buf_text(&config), "\r\n"), buf_text(&config));
		return;
	}
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]);
	     i++) {
		if (is_met(&expectations[i], &config, doctor->host)) {
			if (i == 0)
				doctor->ssh_is_ours = true;
			continue;
		}
		say_shadowed(doctor, &expectations[i], &config, ret);
		return;
	}
	if (doctor->request->alias != NULL &&
	    session_read(doctor->request->cache, doctor->request->alias,
		&doctor->session) == SBX_OK &&
	    doctor_find(&config, "user ", sizeof(user), user) &&
	    strcmp(user, doctor->session.user) != 0) {
		doctor_say(ret, DOCTOR_FAIL,
		    "move that User line below sandbox-proxy's Include, or "
		    "make it not match these hosts",
		    "ssh would log in as %s instead of %s", user,
		    doctor->session.user);
		return;
	}
	doctor_say(
	    ret, DOCTOR_OK, "", "included, and nothing stands before it");
}

/* Would ssh ask us about names that end in that? */
static bool
is_asked(const struct doctor *doctor, const char *suffix)
{
	static const char *const options[] = { "-G", NULL };
	cleanup_buf struct buf config = BUF_INIT(OUTPUT_MAX);
	char host[DOCTOR_TEXT + 16];
	int status = 0;

	/* As the probe of the snippet's own pattern: it is no alias. */
	(void)snprintf(host, sizeof(host), "doctor-.%s", suffix);
	return run_ssh(doctor, host, options, QUICK, &config, &status) ==
	    SBX_OK &&
	    status == 0 && is_met(&expectations[0], &config, host);
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

/* The keys that were pinned: fingerprints, and the algorithms to ask for. */
struct pinned {
	size_t count;
	char fingerprint[PINNED_MAX][KEY_FINGERPRINT_LEN];
	char algorithms[512];
};

static const char *
algorithm_of(const struct key_kind *kind)
{
	return strcmp(kind->name, "ssh-rsa") == 0 ? "rsa-sha2-512,rsa-sha2-256"
						  : kind->name;
}

static void
take_pinned(struct view line, struct pinned *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	const char *name;
	struct public_key key;
	struct view host;
	size_t used = strlen(ret->algorithms);

	if (ret->count == PINNED_MAX || !text_next_word(&line, &host))
		return;
	while (line.len > 0 && line.p[0] == ' ')
		line = VIEW(line.p + 1, line.len - 1);
	if (key_parse_line(line, &blob, &key) != SBX_OK)
		return;
	key_fingerprint(key.blob, ret->fingerprint[ret->count++]);
	name = algorithm_of(key.kind);
	if (strstr(ret->algorithms, name) == NULL)
		(void)snprintf(ret->algorithms + used,
		    sizeof(ret->algorithms) - used, "%s%s",
		    used == 0 ? "" : ",", name);
}

static bool
read_pinned(const struct doctor *doctor, struct pinned *ret)
{
	cleanup_buf struct buf text = BUF_INIT(KNOWN_HOSTS_MAX);
	char path[2 * PATHS_MAX];
	struct view rest, line;

	*ret = (struct pinned){ .count = 0 };
	if (snprintf(path, sizeof(path), "%s/%s/known_hosts",
		doctor->request->cache, doctor->host) >= (int)sizeof(path) ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return false;
	rest = buf_view(&text);
	while (text_next_line(&rest, &line))
		take_pinned(line, ret);
	return ret->count > 0;
}

/*
 * ssh itself as the prober, through the connection that it would use.  With
 * no known host it stops as soon as it has seen the key: it logs nobody in.
 */
static void
shake_hands(struct doctor *doctor, const struct pinned *pinned)
{
	char algorithms[600];
	const char *const options[] = { "-v", "-T", "-o", "BatchMode=yes", "-o",
		"ControlPath=none", "-o", "ControlMaster=no", "-o",
		"StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=none",
		"-o", "GlobalKnownHostsFile=none", "-o",
		"KnownHostsCommand=none", "-o", algorithms, NULL };
	struct deadline start = deadline_in(0);
	int status = 0;

	(void)snprintf(algorithms, sizeof(algorithms), "HostKeyAlgorithms=%s",
	    pinned->algorithms);
	if (run_ssh(doctor, doctor->host, options, HANDSHAKE, doctor->handshake,
		&status) != SBX_OK)
		buf_put_text(doctor->handshake, "\nsandbox-proxy: no answer\n");
	doctor->handshake_ms = deadline_now() - start.at;
}

/* What went wrong, as our programs say it, or else ssh. */
static void
last_words(const struct buf *says, size_t size, char *ret)
{
	struct view rest = buf_view(says), line;
	bool ours = false;

	(void)snprintf(ret, size, "ssh says nothing");
	while (text_next_line(&rest, &line)) {
		bool mine = line.len > 8 && memcmp(line.p, "sandbox-", 8) == 0;

		while (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0 || (ours && !mine) ||
		    (line.len > 5 && memcmp(line.p, "debug", 5) == 0))
			continue;
		ours = mine;
		(void)snprintf(
		    ret, size, "%.*s", (int)line.len, (const char *)line.p);
	}
}

void
doctor_endpoint(struct doctor *doctor, struct finding *ret)
{
	static const char mark[] = "debug1: Remote protocol version 2.0, "
				   "remote software version ";
	const struct session *session = &doctor->session;
	char server[120], text[DOCTOR_TEXT - 64];
	char state[32];
	struct pinned pinned;

	if (!doctor->has_session || !doctor->ssh_is_ours)
		return;
	if (!doctor_find(doctor->health, "state=", sizeof(state), state))
		(void)snprintf(state, sizeof(state), "%s",
		    session->running ? "running" : "stopped");
	if (strcmp(state, "running") != 0) {
		doctor_say(ret, DOCTOR_OK, "",
		    "%s is %s: ssh starts it, the doctor does not", session->id,
		    state);
		return;
	}
	if (!read_pinned(doctor, &pinned)) {
		doctor_say(ret, DOCTOR_FAIL,
		    "remove the folder: it is made anew",
		    "%s/%s/known_hosts holds no key", doctor->request->cache,
		    doctor->host);
		return;
	}
	shake_hands(doctor, &pinned);
	if (doctor_find(doctor->handshake, mark, sizeof(server), server)) {
		doctor_say(ret, DOCTOR_OK, "", "%s answers in %llu ms (%s)",
		    session->endpoint[0],
		    (unsigned long long)doctor->handshake_ms, server);
		return;
	}
	last_words(doctor->handshake, sizeof(text), text);
	doctor_say(ret, DOCTOR_FAIL, "see sandboxctl show", "%s", text);
}

void
doctor_host_key(struct doctor *doctor, struct finding *ret)
{
	char seen[128];
	struct pinned pinned;

	if (!doctor_find(doctor->handshake,
		"debug1: Server host key: ", sizeof(seen), seen) ||
	    !read_pinned(doctor, &pinned)) {
		if (doctor->handshake->len > 0 &&
		    doctor_find(doctor->handshake, "Unable to negotiate",
			sizeof(seen), seen))
			doctor_say(ret, DOCTOR_FAIL,
			    "something else answers there: do not connect",
			    "the server has no key of the kind that is "
			    "pinned");
		return;
	}
	for (size_t i = 0; i < pinned.count; i++) {
		if (strstr(seen, pinned.fingerprint[i]) == NULL)
			continue;
		doctor_say(ret, DOCTOR_OK, "", "%s is the one that is pinned",
		    pinned.fingerprint[i]);
		return;
	}
	doctor_say(ret, DOCTOR_FAIL,
	    "something else answers there: do not connect, and tell who runs "
	    "the broker",
	    "the server shows %s, but %s is pinned", seen,
	    pinned.fingerprint[0]);
}
