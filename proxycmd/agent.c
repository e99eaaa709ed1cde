/* SPDX-License-Identifier: ISC */
#include "proxycmd/agent.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "proxycmd/dial/deadline.h"
#include "proxycmd/ssh_args.h"
#include "proxycmd/ssh_config.h"

#define KEY_MAX 65536
#define SSH_WORD 64

bool
agent_answers(const char *socket_path, unsigned milliseconds)
{
	/* SSH_AGENTC_REQUEST_IDENTITIES, with its length. */
	static const uint8_t question[] = { 0, 0, 0, 1, 11 };
	struct deadline deadline = deadline_in(milliseconds);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t byte;
	int ready;

	if (fd < 0 || socket_path == NULL ||
	    strlen(socket_path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, question, sizeof(question), MSG_NOSIGNAL) !=
		(ssize_t)sizeof(question))
		return false;
	do
		ready = poll(&pfd, 1, deadline_left(deadline));
	while (ready < 0 && errno == EINTR);
	return ready > 0 && read(fd, &byte, 1) == 1;
}

static bool
starts_with(struct view text, const char *start)
{
	size_t len = strlen(start);

	return text.len >= len && memcmp(text.p, start, len) == 0;
}

/* In clear, as ssh-keygen and others write it. */
static bool
is_open(struct view key)
{
	/* "openssh-key-v1", and the cipher "none" */
	static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n"
				      "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";
	static const char pem[] = "-----BEGIN ";

	if (starts_with(key, "-----BEGIN OPENSSH "))
		return starts_with(key, openssh);
	return starts_with(key, pem) &&
	    memmem(key.p, key.len, "ENCRYPTED", 9) == NULL;
}

bool
agent_has_key(
    const char *cache, const struct alias *alias, const struct session *session)
{
	cleanup_buf struct buf key = BUF_INIT(KEY_MAX);
	char path[PATHS_MAX + NAME_ALIAS_MAX + 32];
	cleanup_close int fd = -1;

	/* Without a public half beside it, it is one that was made here. */
	if (!session->file[SESSION_PUBLIC_KEY])
		return false;
	(void)snprintf(
	    path, sizeof(path), "%s/%s/" CACHE_KEY, cache, alias->text);
	/* A link to the person's own. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 || file_read_fd(fd, &key) != SBX_OK ||
	    !is_open(buf_view(&key));
}

/* What one reading says: the first that says anything counts. */
enum answer { UNSAID, NO, YES };

struct forwarding {
	enum answer answer;
	char config[PATH_MAX]; /* ssh -F; "" for the usual one */
};

static enum answer
judge(const char *value)
{
	return strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0
	    ? NO
	    : YES;
}

static void
read_arguments(struct ssh_args args, struct forwarding *ret)
{
	char letter, word[SSH_WORD];
	struct view value;

	while (ssh_args_next(&args, &letter, &value)) {
		if (letter == 'F')
			(void)snprintf(ret->config, sizeof(ret->config), "%.*s",
			    (int)value.len, (const char *)value.p);
		else if (letter == 'A' || letter == 'a')
			ret->answer = letter == 'A' ? YES : NO;
		else if (letter == 'o' && ret->answer == UNSAID &&
		    ssh_args_option(value, "ForwardAgent", sizeof(word), word))
			ret->answer = judge(word);
	}
}

static bool
read_config(void *context, const struct ssh_config_line *line)
{
	struct forwarding *forwarding = context;
	struct view rest = line->rest;
	char value[PATH_MAX];

	/* What stands below our own lines comes too late. */
	if (strcmp(line->keyword, "match") == 0 &&
	    memmem(rest.p, rest.len, " prepare ", 9) != NULL)
		return false;
	if (strcmp(line->keyword, "forwardagent") == 0 &&
	    ssh_config_next(&rest, sizeof(value), value) && judge(value) == YES)
		forwarding->answer = YES;
	return forwarding->answer != YES;
}

bool
agent_is_forwarded(pid_t ssh, const char *home)
{
	cleanup_buf struct buf arguments = BUF_INIT(SSH_ARGS_MAX);
	struct forwarding forwarding = { .answer = UNSAID };
	char path[PATH_MAX];

	read_arguments(ssh_args_of(ssh, &arguments), &forwarding);
	if (forwarding.answer != UNSAID)
		return forwarding.answer == YES;
	(void)snprintf(path, sizeof(path), "%s/.ssh/config", home);
	ssh_config_read(*forwarding.config == '\0' ? path : forwarding.config,
	    home, read_config, &forwarding);
	return forwarding.answer == YES;
}
