/* SPDX-License-Identifier: ISC */
#include "init/sessions.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "init/descendants.h"
#include "init/terminals.h"

/* At one go; the others of the same moment come with the next poll. */
#define CHUNK 4096
#define TITLE 512

/* The terminals of each session, by its place. */
struct terminals {
	const struct sessions *sessions;
	char of[SESSIONS_MAX][SESSION_TTYS];
};

void
sessions_begin(struct sessions *s, int64_t now)
{
	s->count = 0;
	s->idle_since = now;
}

static void
put_peer(int fd, char ret[static SESSION_FROM])
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	socklen_t len = sizeof(peer);
	const void *address = NULL;

	*ret = '\0';
	if (getpeername(fd, &peer.any, &len) < 0)
		return;
	if (peer.any.sa_family == AF_INET)
		address = &peer.v4.sin_addr;
	if (peer.any.sa_family == AF_INET6)
		address = &peer.v6.sin6_addr;
	if (address == NULL ||
	    inet_ntop(peer.any.sa_family, address, ret, SESSION_FROM) == NULL)
		*ret = '\0';
}

void
sessions_add(struct sessions *s, pid_t pid, int log, int peer, int64_t now)
{
	struct session *session = &s->of[s->count++];

	memset(session, 0, sizeof(*session));
	session->pid = pid;
	session->log = log;
	session->since = now;
	put_peer(peer, session->from);
}

/* A word that may stand in a line of ours, or at its end. */
static void
put_word(const char *from, size_t len, char *ret, size_t size)
{
	if (len >= size)
		len = size - 1;
	for (size_t i = 0; i < len; i++)
		ret[i] = from[i] > 0x20 && from[i] < 0x7f ? from[i] : '?';
	ret[len] = '\0';
}

/*
 * "Accepted publickey for sandbox from ...: ED25519-CERT SHA256:... ID key-id
 * (serial 1) CA ED25519 SHA256:..."; of what the CA let stand in the key id
 * the last " (serial " is the one.
 */
static void
take_line(struct session *session)
{
	static const char accepted[] = "Accepted ", id[] = " ID ",
			  serial[] = " (serial ";
	char *at, *end = NULL;

	if (strncmp(session->line, accepted, strlen(accepted)) != 0)
		return;
	session->entered = true;
	at = strstr(session->line, id);
	if (at == NULL)
		return;
	at += strlen(id);
	for (char *next = at; (next = strstr(next, serial)) != NULL; next++)
		end = next;
	if (end == NULL)
		return;
	put_word(
	    at, (size_t)(end - at), session->key_id, sizeof(session->key_id));
	end += strlen(serial);
	put_word(end, strspn(end, "0123456789"), session->serial,
	    sizeof(session->serial));
}

static void
take_bytes(struct session *session, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			session->line[session->have] = '\0';
			if (!session->entered)
				take_line(session);
			session->have = 0;
		} else if (session->have < sizeof(session->line) - 1) {
			session->line[session->have++] =
			    bytes[i] == '\0' ? '?' : bytes[i];
		}
	}
}

static void
hear(struct session *session)
{
	char bytes[CHUNK];
	ssize_t n = read(session->log, bytes, sizeof(bytes));

	if (n > 0) {
		take_bytes(session, bytes, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		(void)close(session->log);
		session->log = -1;
	}
}

static bool
anybody(const struct sessions *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->of[i].entered)
			return true;
	}
	return false;
}

void
sessions_forget(struct sessions *s, pid_t pid, int64_t now)
{
	for (size_t i = 0; i < s->count; i++) {
		struct session *session = &s->of[i];
		bool entered;

		if (session->pid != pid)
			continue;
		if (session->log >= 0)
			hear(session);
		if (session->log >= 0)
			(void)close(session->log);
		entered = session->entered;
		*session = s->of[--s->count];
		if (entered && !anybody(s))
			s->idle_since = now;
		return;
	}
}

void
sessions_poll(const struct sessions *s, struct pollfd *p)
{
	for (size_t i = 0; i < s->count; i++)
		p[i] = (struct pollfd){ s->of[i].log, POLLIN, 0 };
}

void
sessions_hear(struct sessions *s, const struct pollfd *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (p[i].revents != 0 && s->of[i].log >= 0)
			hear(&s->of[i]);
	}
}

/*
 * sshd's title, "sshd: sandbox@pts/0,pts/1", the process for the user being a
 * child of the one that we started, unless it could not change its user.
 */
static void
note_title(pid_t pid, pid_t parent, void *arg)
{
	struct terminals *t = arg;
	char path[64], title[TITLE];
	const char *at;
	cleanup_close int fd = -1;
	size_t i = 0;
	ssize_t n;

	while (i < t->sessions->count && t->sessions->of[i].pid != parent &&
	    t->sessions->of[i].pid != pid)
		i++;
	if (i == t->sessions->count)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (n = read(fd, title, sizeof(title) - 1)) <= 0)
		return;
	title[n] = '\0';
	at = strrchr(title, '@');
	if (strncmp(title, "sshd", 4) == 0 && at != NULL &&
	    strncmp(at + 1, "pts/", 4) == 0)
		put_word(
		    at + 1, strcspn(at + 1, " "), t->of[i], sizeof(t->of[i]));
}

static void
find_terminals(const struct sessions *s, struct terminals *ret)
{
	ret->sessions = s;
	for (size_t i = 0; i < s->count; i++)
		ret->of[i][0] = '\0';
	descendants_each(note_title, ret);
}

/* Of "pts/0,pts/1" the next name, "0"; false: there are no more. */
static bool
next_terminal(const char **cursor, char *ret, size_t size)
{
	size_t len = strcspn(*cursor, ",");
	bool more = len > 4 && len - 4 < size;

	if (more)
		(void)snprintf(ret, size, "%.*s", (int)(len - 4), *cursor + 4);
	*cursor += len;
	*cursor += **cursor == ',';
	return more;
}

/* Since something was typed or shown, in seconds; -1: nobody knows. */
static int64_t
idle_of(const char *ttys)
{
	int64_t now = (int64_t)time(NULL), least = -1;
	char name[16];

	while (next_terminal(&ttys, name, sizeof(name))) {
		int64_t since = terminal_used(name);
		int64_t idle = since > now ? 0 : now - since;

		if (since >= 0 && (least < 0 || idle < least))
			least = idle;
	}
	return least;
}

static const char *
or_dash(const char *text)
{
	return *text == '\0' ? "-" : text;
}

void
sessions_tell(const struct sessions *s, int fd, int64_t now)
{
	static struct terminals t;
	char line[SESSION_KEY_ID + SESSION_FROM + SESSION_TTYS + 128];
	char idle[24];
	int len = snprintf(line, sizeof(line), "idle %" PRId64 "\n",
	    anybody(s) ? 0 : now - s->idle_since);

	(void)send(fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	find_terminals(s, &t);
	for (size_t i = 0; i < s->count; i++) {
		const struct session *session = &s->of[i];
		int64_t least = idle_of(t.of[i]);

		if (!session->entered)
			continue;
		(void)snprintf(idle, sizeof(idle), "%" PRId64, least);
		len = snprintf(line, sizeof(line),
		    "session %" PRId64 " %s %s %s %s %s\n",
		    now - session->since, least < 0 ? "-" : idle,
		    or_dash(session->serial), or_dash(t.of[i]),
		    or_dash(session->from), or_dash(session->key_id));
		(void)send(fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

void
sessions_warn(const struct sessions *s, const char *text)
{
	static struct terminals t;
	char name[16];

	find_terminals(s, &t);
	for (size_t i = 0; i < s->count; i++) {
		const char *cursor = t.of[i];

		while (next_terminal(&cursor, name, sizeof(name)))
			(void)terminal_write(name, text);
	}
}
