/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/rlimits.h"
#include "common/sanitized.h"
#include "common/text.h"

/* As ext4 has it for a whole file system. */
#define BYTES_PER_FILE 16384

static uint64_t
percent_of(uint64_t whole, uint64_t percent)
{
	return whole / 100 * percent + whole % 100 * percent / 100;
}

static uint64_t
share(const struct amount *amount, uint64_t whole)
{
	return amount->percent == 0 ? amount->bytes
				    : percent_of(whole, amount->percent);
}

struct box_limits
limits_of(const struct local_limits *wanted, uint64_t memory, uint64_t disk)
{
	struct box_limits limits = { .processes = wanted->processes,
		.ptys = wanted->ptys,
		.memory = share(&wanted->memory, memory),
		.workspace = share(&wanted->workspace, disk),
		.workspace_by = LIMITED_MEASURED };

	limits.tmpfs = percent_of(limits.memory, wanted->tmpfs);
	limits.files = limits.workspace / BYTES_PER_FILE;
	return limits;
}

/*
 * A dump that goes to a program of the host's is for the host's root to keep;
 * the value 1 means none at all then (core(5)).
 */
static bool
set_core(void)
{
	cleanup_buf struct buf pattern = BUF_INIT(256);

	if (file_read(AT_FDCWD, "/proc/sys/kernel/core_pattern", &pattern,
		NULL) != SBX_OK ||
	    *buf_text(&pattern) != '|')
		return true;
	return rlimits_set(RLIMIT_CORE, 1, 1);
}

bool
limits_of_namespace(const struct box_limits *limits)
{
	rlim_t all = limits->processes + LIMITS_SPARE;

	for (size_t i = 0; i < RLIMITS_USUAL; i++) {
		const struct usual_rlimit *usual = &rlimits_usual[i];

		if (!rlimits_set(usual->resource, usual->soft, usual->hard))
			return false;
	}
	return set_core() && rlimits_set(RLIMIT_NPROC, all, all);
}

bool
limits_of_memory(const struct box_limits *limits)
{
	return limits->memory_by != LIMITED_EACH || SANITIZED ||
	    rlimits_set(RLIMIT_DATA, limits->memory, limits->memory);
}

bool
limits_of_users(const struct box_limits *limits)
{
	return rlimits_set(RLIMIT_NPROC, limits->processes, limits->processes);
}

#define NAMESPACES_MAX 64

static const struct {
	const char *name;
	uint64_t max; /* 0: a share of what holds outside */
} counters[LIMITS_COUNTERS] = {
	{ "cgroup_namespaces", NAMESPACES_MAX },
	{ "fanotify_groups", 0 },
	{ "fanotify_marks", 0 },
	{ "inotify_instances", 0 },
	{ "inotify_watches", 0 },
	{ "ipc_namespaces", NAMESPACES_MAX },
	{ "mnt_namespaces", NAMESPACES_MAX },
	{ "net_namespaces", NAMESPACES_MAX },
	{ "pid_namespaces", NAMESPACES_MAX },
	{ "time_namespaces", NAMESPACES_MAX },
	{ "user_namespaces", NAMESPACES_MAX },
	{ "uts_namespaces", NAMESPACES_MAX },
};

static int
open_counter(size_t i, int flags)
{
	char path[64];

	(void)snprintf(
	    path, sizeof(path), "/proc/sys/user/max_%s", counters[i].name);
	return open(path, flags | O_CLOEXEC);
}

void
limits_read_counters(struct counters *ret)
{
	for (size_t i = 0; i < LIMITS_COUNTERS; i++) {
		cleanup_close int fd = open_counter(i, O_RDONLY);
		char text[24] = "";

		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (text_uint(text, 0, INT_MAX, &ret->max[i]) != SBX_OK)
			ret->max[i] = 0;
	}
}

void
limits_write_counters(const struct counters *outside, unsigned share)
{
	for (size_t i = 0; i < LIMITS_COUNTERS; i++) {
		cleanup_close int fd = open_counter(i, O_WRONLY);
		uint64_t max = outside->max[i] / share;
		char text[24];

		if (counters[i].max != 0 && max > counters[i].max)
			max = counters[i].max;
		if (fd < 0 || max == 0)
			continue;
		(void)snprintf(text, sizeof(text), "%" PRIu64, max);
		(void)!file_write_fd(fd, VIEW_STR(text));
	}
}
