/* SPDX-License-Identifier: ISC */
/*
 * ssh itself as the prober: it logs in as it always would, and what it says
 * on its way is what the checks here look at.
 */
#include <fcntl.h>
#include <string.h>

#include "certs/key.h"
#include "common/file.h"
#include "common/text.h"
#include "proxycmd/dial/deadline.h"
#include "proxycmd/doctor/check.h"
#include "proxycmd/doctor/source.h"

#define LOGIN_TIME 30000 /* milliseconds; connect has limits of its own */
#define KNOWN_HOSTS_MAX 65536
#define PINNED_MAX 16
#define SSH_FAILED 255

/* The fingerprints of the keys that were pinned. */
struct pinned {
	size_t count;
	char fingerprint[PINNED_MAX][KEY_FINGERPRINT_LEN];
};

static void
take_pinned(struct view line, struct pinned *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	struct public_key key;
	struct view host;

	if (ret->count == PINNED_MAX || !text_next_word(&line, &host))
		return;
	while (line.len > 0 && line.p[0] == ' ')
		line = VIEW(line.p + 1, line.len - 1);
	if (key_parse_line(line, &blob, &key) != SBX_OK)
		return;
	key_fingerprint(key.blob, ret->fingerprint[ret->count++]);
}

static bool
read_pinned(const struct doctor *doctor, struct pinned *ret)
{
	cleanup_buf struct buf text = BUF_INIT(KNOWN_HOSTS_MAX);
	char path[2 * PATHS_MAX];
	struct view rest, line;

	*ret = (struct pinned){ .count = 0 };
	if (snprintf(path, sizeof(path), "%s/%s/known_hosts",
		doctor->request->cache, doctor->name) >= (int)sizeof(path) ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return false;
	rest = buf_view(&text);
	while (text_next_line(&rest, &line))
		take_pinned(line, ret);
	return ret->count > 0;
}

/*
 * A connection of its own, so that one that is shared hides nothing; nothing
 * that a person has to answer; nothing run here; and no other host key than
 * the one that is pinned.  What the snippet's check judges by itself is as
 * sandboxes need it, so that each fault is told once.
 */
static void
log_in(struct doctor *doctor)
{
	const char *const options[] = { "-v", "-o", "BatchMode=yes", "-o",
		"ControlMaster=no", "-o", "ControlPath=none", "-o",
		"PermitLocalCommand=no", "-o", "StrictHostKeyChecking=yes",
		"-o", "FingerprintHash=sha256", "-o", "RemoteCommand=none",
		"-o", "SessionType=default", "-o", "StdinNull=no", "-o",
		"ForkAfterAuthentication=no", "-o", "RequestTTY=no", "-o",
		"Tunnel=no", doctor->is_mute ? "-oIdentityAgent=none" : NULL,
		NULL };
	static const char *const command[] = { "true", NULL };
	struct deadline start = deadline_in(0);

	if (doctor_ssh(doctor, options, doctor->host, command, LOGIN_TIME,
		doctor->login, &doctor->login_status) != SBX_OK) {
		buf_put_text(
		    doctor->login, "\nsandbox-proxy: ssh comes to no end\n");
		doctor->login_status = -1;
	}
	doctor->login_ms = deadline_now() - start.at;
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

	if (!doctor->has_session || !doctor->ssh_is_ours)
		return;
	if (!doctor_find(doctor->health, "state=", sizeof(state), state))
		(void)snprintf(state, sizeof(state), "%s",
		    session->running ? "running" : "stopped");
	if (doctor_find(doctor->health, "held=", sizeof(text), text)) {
		(void)snprintf(
		    text, sizeof(text), "sandboxctl start %s", session->id);
		doctor_say(ret, DOCTOR_FAIL, text,
		    "%s was stopped on purpose and is held: ssh does not start "
		    "it",
		    session->id);
		return;
	}
	if (strcmp(state, "running") != 0) {
		doctor_say(ret, DOCTOR_OK, "",
		    "%s is %s: ssh starts it, the doctor does not", session->id,
		    state);
		return;
	}
	log_in(doctor);
	if (doctor_find(doctor->login, mark, sizeof(server), server)) {
		doctor->is_reached = true;
		doctor_say(ret, DOCTOR_OK, "", "%s answers (%s)",
		    session->endpoint[0], server);
		return;
	}
	last_words(doctor->login, sizeof(text), text);
	doctor_say(ret, DOCTOR_FAIL, "see sandboxctl show", "%s", text);
}

static bool
is_pinned(const struct pinned *pinned, const char *seen)
{
	for (size_t i = 0; i < pinned->count; i++) {
		if (strstr(seen, pinned->fingerprint[i]) != NULL)
			return true;
	}
	return false;
}

void
doctor_host_key(struct doctor *doctor, struct finding *ret)
{
	char seen[128];
	struct pinned pinned;

	if (!doctor->is_reached)
		return;
	if (!read_pinned(doctor, &pinned)) {
		doctor->is_reached = false;
		doctor_say(ret, DOCTOR_FAIL,
		    "remove the folder: it is made anew",
		    "%s/%s/known_hosts holds no key", doctor->request->cache,
		    doctor->name);
		return;
	}
	/* Where they did not come so far, the login's check says why. */
	if (!doctor_find(
		doctor->login, "debug1: Server host key: ", sizeof(seen), seen))
		return;
	if (is_pinned(&pinned, seen)) {
		doctor_say(ret, DOCTOR_OK, "", "%s is the one that is pinned",
		    strchr(seen, ' ') == NULL ? seen : strchr(seen, ' ') + 1);
		return;
	}
	doctor->is_reached = false;
	doctor_say(ret, DOCTOR_FAIL,
	    "something else answers there: do not connect, and tell who runs "
	    "the broker",
	    "the server shows %s, but %s is pinned", seen,
	    pinned.fingerprint[0]);
}

/*
 * What ssh says when an option of a person's own keeps it out.  ours: only in
 * a line that names our key.
 */
static const struct cause {
	const char *words;
	bool ours;
	const char *option;
	const char *cure;
} causes[] = {
	{ "no matching cipher found", false, "Ciphers",
	    "let it allow one that the sandbox offers" },
	{ "no matching MAC found", false, "MACs",
	    "let it allow one that the sandbox offers" },
	{ "no matching key exchange method found", false, "KexAlgorithms",
	    "let it allow one that the sandbox offers" },
	{ "no matching host key type found", false, "HostKeyAlgorithms",
	    "let it allow the kind of key that the sandbox has" },
	{ "not in PubkeyAcceptedAlgorithms", true, "PubkeyAcceptedAlgorithms",
	    "let it allow the certificate's kind" },
	{ "revoked keys file", false, "RevokedHostKeys",
	    "mend or remove the file" },
	{ "Host key revoked", false, "RevokedHostKeys",
	    "tell who runs the broker" },
	{ "marked as revoked", false, "RevokedHostKeys",
	    "tell who runs the broker" },
	{ "host key is known for", false, "HostKeyAlias",
	    "set it for the one host that it is meant for" },
	{ "KnownHostsCommand", false, "KnownHostsCommand", "" },
	{ "Invalid key length", false, "RequiredRSASize", "let it be less" },
	{ "Too many authentication failures", false, "CertificateFile",
	    "put it below the Include of sandbox-proxy" },
	{ "Could not request local forwarding", false, "ExitOnForwardFailure",
	    "see what else listens there" },
	{ "forwarding failed for listen", false, "ExitOnForwardFailure",
	    "see what RemoteForward asks for" },
};

/* The line of what ssh said that has these words. */
static bool
find_words(const struct doctor *doctor, const struct cause *cause, size_t size,
    char *ret)
{
	struct view rest = buf_view(doctor->login), line;

	while (text_next_line(&rest, &line)) {
		if (memmem(line.p, line.len, cause->words,
			strlen(cause->words)) == NULL ||
		    (cause->ours &&
			memmem(line.p, line.len, doctor->name,
			    strlen(doctor->name)) == NULL))
			continue;
		while (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		(void)snprintf(
		    ret, size, "%.*s", (int)line.len, (const char *)line.p);
		return true;
	}
	return false;
}

/* Without how ssh names the peer, and without "debug1". */
static const char *
shorten(const char *line, const struct cause *cause)
{
	static const char debug[] = "debug1: ";

	if (strncmp(line, debug, sizeof(debug) - 1) == 0)
		return line + sizeof(debug) - 1;
	return strncmp(line, "Unable to negotiate", 19) == 0
	    ? strstr(line, cause->words)
	    : line;
}

static const char *
cure_of(const struct doctor *doctor, const char *cure)
{
	return doctor->is_shadowed ? "mend what is told above first" : cure;
}

static void
say_cause(const struct doctor *doctor, const struct cause *cause,
    const char *line, struct finding *ret)
{
	struct source source;

	if (source_find_nth(
		doctor->sources, cause->option, /* n= */ 0, &source))
		doctor_say(ret, DOCTOR_FAIL,
		    *cause->cure == '\0' ? doctor_cure(doctor) : cause->cure,
		    "%s %.100s at %s keeps ssh out: %.200s", cause->option,
		    source.value, source.place, shorten(line, cause));
	else
		doctor_say(ret, DOCTOR_FAIL,
		    cure_of(doctor, "see sandboxctl show"),
		    "ssh does not get in: %.300s", shorten(line, cause));
}

/* The gate took the certificate; the private key is what is missing. */
static bool
is_accepted(const struct doctor *doctor)
{
	char text[DOCTOR_TEXT];

	return doctor_find(
	    doctor->login, "debug1: Server accepts key: ", sizeof(text), text);
}

static void
say_failed(struct doctor *doctor, struct finding *ret)
{
	char text[DOCTOR_TEXT];

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (!find_words(doctor, &causes[i], sizeof(text), text))
			continue;
		say_cause(doctor, &causes[i], text, ret);
		return;
	}
	if (is_accepted(doctor)) {
		doctor_say(ret, DOCTOR_WARN,
		    "if ssh does not ask you for it, look at the ssh-agent",
		    "the certificate is taken, but the key wants a passphrase, "
		    "a touch or an agent");
		return;
	}
	last_words(doctor->login, sizeof(text), text);
	doctor_say(ret, DOCTOR_FAIL,
	    cure_of(doctor, "see what the gate or its log says"), "%s", text);
}

void
doctor_login(struct doctor *doctor, struct finding *ret)
{
	static const char mark[] = "debug1: Authenticated to ";
	char text[DOCTOR_TEXT];
	bool is_in;

	if (!doctor->is_reached)
		return;
	/* Newer ones leave "debug1" out. */
	is_in = doctor_find(doctor->login, mark, sizeof(text), text) ||
	    doctor_find(doctor->login, mark + 8, sizeof(text), text);
	if (is_in && doctor->login_status == 0)
		doctor_say(ret, DOCTOR_OK, "", "as %s, in %llu ms",
		    doctor->session.user, (unsigned long long)doctor->login_ms);
	else if (is_in && doctor->login_status > 0 &&
	    doctor->login_status < SSH_FAILED)
		doctor_say(ret, DOCTOR_WARN, "look at its login shell",
		    "ssh gets in, but 'true' ends with status %d there",
		    doctor->login_status);
	else
		say_failed(doctor, ret);
}
