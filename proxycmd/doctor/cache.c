/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "proxycmd/agent.h"
#include "proxycmd/doctor/capture.h"
#include "proxycmd/doctor/check.h"

#define PREPARE_TIME 60000 /* milliseconds */
#define SAYS_MAX 8192

/* Files that ssh or we would refuse, or that tell others a secret. */
static const struct {
	const char *name;
	mode_t forbidden;
} files[] = {
	{ CACHE_HOSTS, 022 },
	{ "%s/" CACHE_SESSION, 077 },
	{ "%s/" CACHE_KEY, 077 },
	{ "%s/" CACHE_KNOWN_HOSTS, 022 },
};

static bool
check_mode(int fd, const char *cache, const char *name, mode_t forbidden,
    struct finding *ret)
{
	char cure[DOCTOR_TEXT];
	struct stat st;

	/* Links are followed: a private key may be one. */
	if (fstatat(fd, name, &st, 0) < 0)
		return true;
	if (st.st_uid == geteuid() && (st.st_mode & forbidden) == 0)
		return true;
	(void)snprintf(cure, sizeof(cure), "chmod %s it",
	    (forbidden & 044) != 0 ? "go-rwx" : "go-w");
	if (st.st_uid != geteuid())
		doctor_say(ret, DOCTOR_FAIL, "chown it to you",
		    "%s/%s belongs to uid %lu", cache, name,
		    (unsigned long)st.st_uid);
	else
		doctor_say(ret, DOCTOR_FAIL, cure, "%s/%s has mode %04o", cache,
		    name, (unsigned)st.st_mode & 07777);
	return false;
}

void
doctor_cache(struct doctor *doctor, struct finding *ret)
{
	const char *cache = doctor->request->cache;
	cleanup_close int fd =
	    open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		doctor_say(ret, DOCTOR_OK, "", "%s is not there yet", cache);
		return;
	}
	if (fd < 0) {
		doctor_say(ret, DOCTOR_FAIL, "make it a folder of your own",
		    "%s: %s", cache, strerror(errno));
		return;
	}
	if (!check_mode(fd, cache, ".", 022, ret))
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[NAME_ALIAS_MAX + 32];
		bool of_alias = files[i].name[0] == '%';

		(void)snprintf(name, sizeof(name), "%s%s",
		    of_alias ? doctor->name : "",
		    files[i].name + (of_alias ? 2 : 0));
		if (!check_mode(fd, cache, name, files[i].forbidden, ret))
			return;
	}
	if (doctor->healed)
		doctor_say(ret, DOCTOR_WARN, "nothing is left to do",
		    "%s/" CACHE_HOSTS " was damaged, at which ssh stops for "
		    "every host, and is made anew",
		    cache);
	else
		doctor_say(ret, DOCTOR_OK, "", "%s is yours alone", cache);
}

/* The private half: a file, a link to one, or the agent's alone. */
void
doctor_key(struct doctor *doctor, struct finding *ret)
{
	const char *agent = getenv("SSH_AUTH_SOCK");
	char path[PATHS_MAX + NAME_ALIAS_MAX + 32];
	bool needed, answers = agent != NULL && *agent != '\0';
	struct stat st;

	if (!doctor->has_session)
		return;
	needed = agent_has_key(
	    doctor->request->cache, doctor->request->alias, &doctor->session);
	(void)snprintf(path, sizeof(path), "%s/%s/" CACHE_KEY,
	    doctor->request->cache, doctor->name);
	if (answers && !agent_answers(agent, AGENT_TIME))
		doctor_say(ret, needed ? DOCTOR_FAIL : DOCTOR_WARN,
		    "start it anew, or unset SSH_AUTH_SOCK",
		    "the ssh-agent at %s does not answer: %s", agent,
		    needed ? "it may have the key"
			   : "ssh gets in, but forwards none");
	else if (stat(path, &st) == 0)
		doctor_say(ret, DOCTOR_OK, "", "%s", path);
	else if (answers)
		doctor_say(ret, DOCTOR_OK, "", "the agent's, or hardware's");
	else
		doctor_say(ret, DOCTOR_FAIL,
		    "put it there, or into an ssh-agent",
		    "there is no private key beside public_key, and no "
		    "ssh-agent");
}

static void
put_span(uint64_t seconds, size_t size, char *ret)
{
	if (seconds < 120)
		(void)snprintf(
		    ret, size, "%llu s", (unsigned long long)seconds);
	else
		(void)snprintf(
		    ret, size, "%llu min", (unsigned long long)seconds / 60);
}

/* What ssh would have before it connects. */
void
doctor_certificate(struct doctor *doctor, struct finding *ret)
{
	const struct doctor_request *r = doctor->request;
	cleanup_buf struct buf says = BUF_INIT(SAYS_MAX);
	struct delegate_args args;
	struct sbx_why why = { "" };
	char span[32];
	int status = 0;
	enum sbx_err err;

	if (r->alias == NULL)
		return;
	args = delegate_build(
	    r->delegate, /* quiet= */ false, "prepare", r->alias->text);
	err = capture_run(
	    args.v, deadline_in(PREPARE_TIME), &says, &status, &why);
	doctor->has_session = err == SBX_OK && status == 0 &&
	    session_read(r->cache, r->alias, &doctor->session) == SBX_OK;
	if (!doctor->has_session) {
		const char *text =
		    err != SBX_OK ? sbx_why_text(&why, err) : buf_text(&says);

		doctor_say(ret, DOCTOR_FAIL, "", "%.*s",
		    (int)strcspn(text, "\n"), text);
		return;
	}
	if (!session_is_valid(&doctor->session, r->now)) {
		doctor_say(ret, DOCTOR_FAIL,
		    "look at the clocks: it was made a moment ago",
		    "it has ended");
		return;
	}
	put_span(doctor->session.not_after - r->now, sizeof(span), span);
	if (says.len > 0)
		doctor_say(ret, DOCTOR_WARN, "see what fails above",
		    "good for another %s, but it cannot be renewed", span);
	else
		doctor_say(ret, DOCTOR_OK, "", "good for another %s%s", span,
		    doctor->session.single_use ? ", for one connection" : "");
}
