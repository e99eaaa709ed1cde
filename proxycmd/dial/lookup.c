/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
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

bool
lookup_numeric(const char *host, const char *port, struct address_list *ret)
{
	return resolve(host, port, AI_NUMERICHOST, ret) == 0;
}

static _Noreturn void
child(const char *host, const char *port, int out, pid_t parent)
{
	struct answer answer = { 0 };
	enum sbx_err err;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	answer.code = resolve(host, port, 0, &answer.list);
	err = file_write_fd(out, VIEW(&answer, sizeof(answer)));
	_exit(err == SBX_OK ? 0 : 1);
}

enum sbx_err
lookup_start(const char *host, const char *port, int *ret_fd, pid_t *ret_pid,
    struct sbx_why *why)
{
	cleanup_close int in = -1, out = -1;
	pid_t self = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot make a pipe: %s", strerror(errno));
	in = ends[0];
	out = ends[1];
	*ret_pid = fork();
	if (*ret_pid == 0)
		child(host, port, out, self);
	if (*ret_pid < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot fork: %s", strerror(errno));
	*ret_fd = steal_fd(&in);
	return SBX_OK;
}

/* The child writes it in one go: there is no waiting between the parts. */
static bool
read_answer(int fd, struct answer *ret)
{
	uint8_t *p = (uint8_t *)ret;
	size_t len = 0;

	while (len < sizeof(*ret)) {
		ssize_t n = read(fd, p + len, sizeof(*ret) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
	}
	return true;
}

enum sbx_err
lookup_finish(
    int fd, const char *host, struct address_list *ret, struct sbx_why *why)
{
	struct answer answer;

	if (!read_answer(fd, &answer))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "the address of %s could not be looked up", host);
	if (answer.code != 0)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "cannot find the address of %s: %s", host,
		    gai_strerror(answer.code));
	*ret = answer.list;
	return SBX_OK;
}

/* The first that is left, of another family than this one if there is any. */
static size_t
pick_next(
    const struct address_list *list, const bool *taken, sa_family_t family)
{
	size_t first = LOOKUP_MAX;

	for (size_t i = 0; i < list->count; i++) {
		if (taken[i])
			continue;
		if (list->item[i].sa.ss_family != family)
			return i;
		if (first == LOOKUP_MAX)
			first = i;
	}
	return first;
}

void
lookup_interleave(struct address_list *list)
{
	struct address_list sorted = { 0 };
	bool taken[LOOKUP_MAX] = { false };
	sa_family_t family = AF_UNSPEC;

	while (sorted.count < list->count) {
		size_t pick = pick_next(list, taken, family);

		taken[pick] = true;
		family = list->item[pick].sa.ss_family;
		sorted.item[sorted.count++] = list->item[pick];
	}
	*list = sorted;
}
