/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define STAT_MAX 4096
/* After SIGKILL: the kernel tears down what it had. */
#define KILL_MS 10000

/* Words of /proc/PID/stat after the name, which may hold anything. */
#define STAT_STATE 0
#define STAT_START 19

static enum sbx_err
parse_stat(struct view text, struct process *ret)
{
	const uint8_t *paren =
	    text.len == 0 ? NULL : memrchr(text.p, ')', text.len);
	struct view rest, word;
	char number[24];

	if (paren == NULL)
		return SBX_BAD_VALUE;
	rest = VIEW(paren + 1, text.len - (size_t)(paren + 1 - text.p));
	for (int i = 0; i <= STAT_START; i++) {
		if (!text_next_word(&rest, &word))
			return SBX_BAD_VALUE;
		if (i == STAT_STATE &&
		    (view_eq_str(word, "Z") || view_eq_str(word, "X")))
			return SBX_NOT_FOUND;
	}
	if (text_copy(word, number, sizeof(number)) != SBX_OK)
		return SBX_BAD_VALUE;
	return text_uint(number, 0, UINT64_MAX, &ret->start);
}

enum sbx_err
process_identify(pid_t pid, struct process *ret)
{
	cleanup_buf struct buf text = BUF_INIT(STAT_MAX);
	struct process process = { .pid = pid };
	enum sbx_err err;
	char path[64];

	if (pid <= 0)
		return SBX_NOT_FOUND;
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	err = file_read(AT_FDCWD, path, &text, NULL);
	if (err != SBX_OK)
		return SBX_NOT_FOUND;
	err = parse_stat(buf_view(&text), &process);
	if (err == SBX_OK)
		*ret = process;
	return err;
}

bool
process_alive(const struct process *process)
{
	struct process now;

	return process_identify(process->pid, &now) == SBX_OK &&
	    now.start == process->start;
}

int
process_watch(const struct process *process)
{
	cleanup_close int fd = -1;

	if (process->pid <= 0)
		return -1;
	fd = pidfd_open(process->pid, 0);
	if (fd < 0 || !process_alive(process))
		return -1;
	return steal_fd(&fd);
}

static bool
wait_fd(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

bool
process_wait(const struct process *process, int timeout_ms)
{
	cleanup_close int fd = process_watch(process);

	return fd < 0 || wait_fd(fd, timeout_ms);
}

void
process_signal(const struct process *process, int signal)
{
	cleanup_close int fd = process_watch(process);

	if (fd >= 0)
		(void)pidfd_send_signal(fd, signal, NULL, 0);
}

enum sbx_err
process_end(const struct process *process, int grace_ms, struct sbx_why *why)
{
	cleanup_close int fd = process_watch(process);

	if (fd < 0)
		return SBX_OK;
	if (grace_ms > 0 && pidfd_send_signal(fd, SIGTERM, NULL, 0) == 0 &&
	    wait_fd(fd, grace_ms))
		return SBX_OK;
	if (pidfd_send_signal(fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return sbx_fail(why, SBX_IO, "cannot end process %ld: %s",
		    (long)process->pid, strerror(errno));
	if (wait_fd(fd, KILL_MS))
		return SBX_OK;
	return sbx_fail(why, SBX_TIMEOUT,
	    "process %ld was killed but does not end", (long)process->pid);
}

void
process_put(const struct process *process, struct buf *ret)
{
	buf_printf(
	    ret, "%ld %" PRIu64 "\n", (long)process->pid, process->start);
}

enum sbx_err
process_parse(struct view *cursor, struct process *ret)
{
	struct view line, pid, start;
	char number[2][24];
	struct process process;
	uint64_t value;

	if (!text_next_line(cursor, &line))
		return SBX_NOT_FOUND;
	if (!text_next_word(&line, &pid) || !text_next_word(&line, &start) ||
	    text_copy(pid, number[0], sizeof(number[0])) != SBX_OK ||
	    text_copy(start, number[1], sizeof(number[1])) != SBX_OK ||
	    text_uint(number[0], 1, INT_MAX, &value) != SBX_OK ||
	    text_uint(number[1], 0, UINT64_MAX, &process.start) != SBX_OK)
		return SBX_BAD_VALUE;
	process.pid = (pid_t)value;
	*ret = process;
	return SBX_OK;
}
