/* SPDX-License-Identifier: ISC */
/*
 * Options that may be set in many ways, of which some keep ssh out.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"
#include "proxycmd/agent.h"
#include "proxycmd/doctor/check.h"
#include "proxycmd/doctor/source.h"
#include "proxycmd/ssh_config.h"

#define OUTPUT_MAX 65536

/* Another user than the sandbox wants. */
static bool
check_user(struct doctor *doctor, struct finding *ret)
{
	char user[SESSION_USER_LEN] = "";
	struct source source = { .place = "?" };

	if (doctor->request->alias == NULL ||
	    session_read(doctor->request->cache, doctor->request->alias,
		&doctor->session) != SBX_OK ||
	    !doctor_find(doctor->config, "user ", sizeof(user), user) ||
	    strcmp(user, doctor->session.user) == 0)
		return true;
	if (!source_find_nth(doctor->sources, "User", /* n= */ 0, &source))
		return true;
	doctor_say(ret, DOCTOR_FAIL, doctor_cure(doctor),
	    "User %s at %s: ssh would log in as %s instead of %s", source.value,
	    source.place, user, doctor->session.user);
	return false;
}

/* What ssh adds to it while it makes the socket, and the NUL. */
#define CONTROL_PATH_MORE 18
#define SOCKET_PATH_MAX 108

static bool
is_folder_there(const char *path)
{
	char folder[PATHS_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path ||
	    text_copy(VIEW(path, (size_t)(slash - path)), folder,
		sizeof(folder)) != SBX_OK)
		return true;
	return access(folder, W_OK | X_OK) == 0;
}

/* One control socket for all hosts: ssh would be somewhere else. */
static bool
is_shared(struct doctor *doctor, const char *path)
{
	cleanup_buf struct buf config = BUF_INIT(OUTPUT_MAX);
	char other[PATHS_MAX];

	return strcmp(doctor->host, doctor->request->probe) != 0 &&
	    doctor_ask_config(doctor, doctor->request->probe, /* loud= */ false,
		&config) == SBX_OK &&
	    doctor_find(&config, "controlpath ", sizeof(other), other) &&
	    strcmp(path, other) == 0;
}

static bool
check_control_path(struct doctor *doctor, struct finding *ret)
{
	char path[PATHS_MAX];
	bool makes =
	    !doctor_has(doctor->config, "ControlMaster", " false", "") &&
	    !doctor_has(doctor->config, "ControlMaster", " no", "");
	const char *effect = NULL;
	struct source source;

	if (!doctor_find(doctor->config, "controlpath ", sizeof(path), path) ||
	    strcmp(path, "none") == 0 ||
	    !source_find_nth(
		doctor->sources, "ControlPath", /* n= */ 0, &source))
		return true;
	if (strlen(path) + (makes ? CONTROL_PATH_MORE : 1) > SOCKET_PATH_MAX)
		effect = "it is too long for a socket: write %C";
	else if (makes && !is_folder_there(path))
		effect = "its folder is not there: make it, with mode 700";
	else if (is_shared(doctor, path))
		effect = "it is the same for all hosts: write %C";
	if (effect != NULL)
		doctor_say(ret, DOCTOR_FAIL, "", "ControlPath %s at %s: %s",
		    source.value, source.place, effect);
	return effect == NULL;
}

static bool
check_fork(struct doctor *doctor, struct finding *ret)
{
	struct source source;

	if (!source_find_nth(doctor->sources, "ForkAfterAuthentication",
		/* n= */ 0, &source) ||
	    (strcasecmp(source.value, "yes") != 0 &&
		strcasecmp(source.value, "true") != 0))
		return true;
	doctor_say(ret, DOCTOR_FAIL, doctor_cure(doctor),
	    "ForkAfterAuthentication %s at %s: ssh goes into the background",
	    source.value, source.place);
	return false;
}

/* One that is named above our lines, and so asked whatever it does. */
static bool
check_agent(struct doctor *doctor, struct finding *ret)
{
	const char *named = getenv("SSH_AUTH_SOCK");
	struct source source;
	char path[PATHS_MAX];
	struct stat st;

	if (!source_find_nth(
		doctor->sources, "IdentityAgent", /* n= */ 0, &source) ||
	    !doctor_find(doctor->config, "identityagent ", sizeof(path), path))
		return true;
	if (strcmp(path, "SSH_AUTH_SOCK") == 0)
		(void)snprintf(
		    path, sizeof(path), "%s", named == NULL ? "" : named);
	if (stat(path, &st) < 0 || agent_answers(path, AGENT_TIME))
		return true;
	doctor->is_mute = true;
	doctor_say(ret, DOCTOR_FAIL, doctor_cure(doctor),
	    "IdentityAgent %s at %s: it does not answer, and ssh waits for it",
	    source.value, source.place);
	return false;
}

/* Variables that sandboxes take (sshd_config.d), and what a terminal is. */
static bool
is_taken(const char *name)
{
	static const char *const taken[] = { "LANG", "LANGUAGE", "GIT_PROTOCOL",
		"COLORTERM", "NO_COLOR", "TZ", "TERM" };

	if (strncmp(name, "LC_", 3) == 0 || *name == '-')
		return true;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(name, taken[i]) == 0)
			return true;
	}
	return false;
}

/* A word of the line that is still in force and that sandboxes drop. */
static bool
find_dropped(const struct doctor *doctor, const char *option,
    const struct source *source, size_t size, char *ret)
{
	struct view rest = VIEW_STR(source->value);
	char word[SOURCE_VALUE], line[SOURCE_VALUE + 1];

	while (ssh_config_next(&rest, sizeof(word), word)) {
		(void)snprintf(line, sizeof(line), " %s", word);
		if (!doctor_has(doctor->config, option, line, ""))
			continue;
		(void)snprintf(
		    ret, size, "%.*s", (int)strcspn(word, "="), word);
		if (!is_taken(ret))
			return true;
	}
	return false;
}

static bool
check_environment(struct doctor *doctor, struct finding *ret)
{
	static const char *const options[] = { "SendEnv", "SetEnv" };
	struct source source;
	char name[SOURCE_VALUE];

	for (size_t i = 0; i < 2; i++) {
		for (size_t n = 0;
		     source_find_nth(doctor->sources, options[i], n, &source);
		     n++) {
			if (!find_dropped(doctor, options[i], &source,
				sizeof(name), name))
				continue;
			doctor_say(ret, DOCTOR_WARN,
			    "name only what all hosts may see",
			    "%s %s at %s: ssh tells sandboxes, too, but they "
			    "take no more than LANG, LC_*, GIT_PROTOCOL, "
			    "COLORTERM, NO_COLOR and TZ",
			    options[i], name, source.place);
			return false;
		}
	}
	return true;
}

doctor_option *const doctor_options[DOCTOR_OPTIONS] = { check_user, check_fork,
	check_control_path, check_agent, check_environment };
