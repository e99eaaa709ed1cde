#include "proxycmd/lookup.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

/* What the child writes: getaddrinfo's result, then the list. */
struct answer {
	int code;
	struct address_list list;
};

static int
resolve(const char *host, const char *port, int flags, struct address_list *ret)
{
	struct addrinfo hints = { .ai_flags = flags | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	int code = getaddrinfo(host, port, &hints, &all);

	if (code != 0)
		return code;
	ret->count = 0;
	for (struct addrinfo *a = all; a != NULL; a = a->ai_next) {
		struct address *item = &ret->item[ret->count];

		if (a->ai_addrlen > sizeof(item->sa))
			continue;
		memcpy(&item->sa, a->ai_addr, a->ai_addrlen);
		item->len = a->ai_addrlen;
		if (++ret->count == LOOKUP_MAX)
			break;
	}
	freeaddrinfo(all);
	return ret->count == 0 ? EAI_NONAME : 0;
}

static _Noreturn void
child(const char *host, const char *port, int out)
{
	struct answer answer = { 0 };
	enum sbx_err err;

	answer.code = resolve(host, port, 0, &answer.list);
	err = file_write_fd(out, VIEW(&answer, sizeof(answer)));
	_exit(err == SBX_OK ? 0 : 1);
}

/* False at the deadline or when the child died. */
static bool
read_answer(int fd, struct deadline deadline, struct answer *ret)
{
	uint8_t *p = (uint8_t *)ret;
	size_t len = 0;

	while (len < sizeof(*ret)) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int ready = poll(&pfd, 1, deadline_left(deadline));
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		n = read(fd, p + len, sizeof(*ret) - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
	}
	return true;
}

static enum sbx_err
ask_child(const char *host, const char *port, struct deadline deadline,
    struct answer *ret, struct sbx_why *why)
{
	int ends[2];
	pid_t pid;
	bool ok;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		child(host, port, ends[1]);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return sbx_fail(
		    why, SBX_IO, "cannot fork: %s", strerror(errno));
	}
	ok = read_answer(ends[0], deadline, ret);
	(void)close(ends[0]);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (ok)
		return SBX_OK;
	return sbx_fail(why, SBX_TIMEOUT,
	    "no answer in time about the address of %s", host);
}

enum sbx_err
lookup_host(const char *host, const char *port, struct deadline deadline,
    struct address_list *ret, struct sbx_why *why)
{
	struct answer answer = { 0 };
	enum sbx_err err;

	if (resolve(host, port, AI_NUMERICHOST, ret) == 0)
		return SBX_OK;
	err = ask_child(host, port, deadline, &answer, why);
	if (err != SBX_OK)
		return err;
	if (answer.code != 0)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "cannot find the address of %s: %s", host,
		    gai_strerror(answer.code));
	*ret = answer.list;
	return SBX_OK;
}
