/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/apart.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "broker/providers/local/home.h"
#include "broker/providers/local/project.h"
#include "common/cleanup.h"
#include "common/scope.h"
#include "common/text.h"

#define RECORD "limits"
#define RECORD_MAX (4 * PATHS_MAX)
#define GROUP_LEN (NAME_ID_MAX + 40)

/* The lines of the record: what it is held to, then its groups. */
static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{ "processes", offsetof(struct box_limits, processes) },
	{ "ptys", offsetof(struct box_limits, ptys) },
	{ "memory", offsetof(struct box_limits, memory) },
	{ "tmpfs", offsetof(struct box_limits, tmpfs) },
	{ "workspace", offsetof(struct box_limits, workspace) },
	{ "files", offsetof(struct box_limits, files) },
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))
#define GROUP "group"

/* How the names of its groups begin, scopes included. */
static void
name_group(const struct box *box, char ret[static GROUP_LEN])
{
	(void)snprintf(ret, GROUP_LEN, "sandbox-%s", box->id);
}

/*
 * It means something only while the sandbox runs, so nothing is lost if it is
 * not on disk yet when the machine stops.  In one write, since we may be
 * killed whenever it is.
 */
static void
write_record(const struct box *box, const struct box_limits *limits,
    const struct cgroup *cgroup)
{
	cleanup_buf struct buf text = BUF_INIT(RECORD_MAX);
	cleanup_close int fd = openat(box->dir, RECORD,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	for (size_t i = 0; i < NUMBERS; i++)
		buf_printf(&text, "%s %" PRIu64 "\n", numbers[i].name,
		    *(const uint64_t *)(const void *)((const char *)limits +
			numbers[i].offset));
	for (size_t i = 0; i < CGROUP_MAX; i++) {
		if (*cgroup->path[i] != '\0')
			buf_printf(&text, GROUP " %s\n", cgroup->path[i]);
	}
	if (fd >= 0 && buf_error(&text) == SBX_OK &&
	    file_write_fd(fd, buf_view(&text)) == SBX_OK)
		(void)!ftruncate(fd, (off_t)text.len);
}

static void
read_line(struct view line, struct box_limits *limits, struct cgroup *cgroup,
    size_t *groups)
{
	struct view name;
	char number[24];

	if (!text_next_word(&line, &name))
		return;
	if (view_eq_str(name, GROUP)) {
		line.p++;
		line.len--;
		if (*groups < CGROUP_MAX &&
		    text_copy(line, cgroup->path[*groups], PATHS_MAX) == SBX_OK)
			(*groups)++;
		return;
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		struct view word;
		void *to = (char *)limits + numbers[i].offset;

		if (view_eq_str(name, numbers[i].name) &&
		    text_next_word(&line, &word) &&
		    text_copy(word, number, sizeof(number)) == SBX_OK)
			(void)!text_uint(number, 0, INT64_MAX, to);
	}
}

/* False where there is none: it was started by an earlier release. */
static bool
read_record(
    const struct box *box, struct box_limits *limits, struct cgroup *cgroup)
{
	cleanup_buf struct buf text = BUF_INIT(RECORD_MAX);
	struct view cursor, line;
	size_t groups = 0;

	*limits = (struct box_limits){ .processes = 0 };
	*cgroup = (struct cgroup){ { "" } };
	if (file_read(box->dir, RECORD, &text, NULL) != SBX_OK)
		return false;
	cursor = buf_view(&text);
	while (text_next_line(&cursor, &line))
		read_line(line, limits, cgroup, &groups);
	return true;
}

static bool
is_project(const struct box *box, const struct box_limits *limits)
{
	cleanup_close int fd = home_open(box);

	return fd >= 0 && project_limit(fd, box->slice.uid, limits);
}

struct box_limits
apart_limits(const struct local_limits *wanted, const struct box *box)
{
	struct box_limits limits;
	struct statvfs disk;
	uint64_t bytes = 0;

	if (box != NULL && fstatvfs(box->dir, &disk) == 0)
		bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
	limits = limits_of(wanted, cgroup_machine_memory(), bytes);
	if (box != NULL && is_project(box, &limits))
		limits.workspace_by = LIMITED_EXACTLY;
	return limits;
}

void
apart_put(const struct box *box, struct box_limits *limits, pid_t pid)
{
	struct cgroup cgroup = { { "" } };
	char name[GROUP_LEN], own[GROUP_LEN];

	name_group(box, name);
	if (scope_possible()) {
		(void)scope_move(&(struct scope){ .name = name,
				     .slice = "sandbox.slice",
				     .tasks = limits->processes + LIMITS_SPARE,
				     .memory = limits->memory },
		    pid);
	} else {
		/* Ids are a broker's, uids the machine's. */
		(void)snprintf(own, sizeof(own), "%.*s-%" PRIu64,
		    NAME_ID_MAX + 8, name, box->slice.uid);
		cgroup = cgroup_name(own);
		write_record(box, limits, &cgroup);
		cgroup_make(&cgroup, limits, pid);
	}
	limits->memory_by = cgroup_read(pid, name).memory_max != 0
	    ? LIMITED_EXACTLY
	    : LIMITED_EACH;
	write_record(box, limits, &cgroup);
}

void
apart_clean(const struct box *box)
{
	struct box_limits limits;
	struct cgroup cgroup;

	if (read_record(box, &limits, &cgroup))
		cgroup_remove(&cgroup);
	(void)unlinkat(box->dir, RECORD, 0);
}

static void
say(struct provider_limit *ret, enum limited by, uint64_t max, uint64_t used)
{
	*ret = (struct provider_limit){ true, by, max, used };
}

/* What process 1 measured last: two numbers of its own. */
static void
read_measured(const struct box *box, uint64_t *ret_bytes, uint64_t *ret_files)
{
	cleanup_buf struct buf text = BUF_INIT(64);
	cleanup_close int report = -1;
	struct view cursor, line, word;
	uint64_t *const ret[] = { ret_bytes, ret_files };
	char number[24];

	if (file_open_dir(box->dir, BOX_REPORT, &report, NULL) != SBX_OK ||
	    file_read(report, BOX_USAGE, &text, NULL) != SBX_OK)
		return;
	cursor = buf_view(&text);
	if (!text_next_line(&cursor, &line))
		return;
	for (size_t i = 0; i < 2; i++) {
		if (!text_next_word(&line, &word) ||
		    text_copy(word, number, sizeof(number)) != SBX_OK ||
		    text_uint(number, 0, INT64_MAX, ret[i]) != SBX_OK)
			return;
	}
}

static void
workspace_usage(const struct box *box, const struct box_limits *limits,
    struct provider_usage *ret)
{
	cleanup_close int fd = home_open(box);
	uint64_t bytes = PROVIDER_UNKNOWN, files = PROVIDER_UNKNOWN;
	enum limited by = LIMITED_EXACTLY;

	if (fd < 0 || !project_usage(fd, box->slice.uid, &bytes, &files)) {
		by = LIMITED_MEASURED;
		read_measured(box, &bytes, &files);
	}
	say(&ret->of[RESOURCE_WORKSPACE], by, limits->workspace, bytes);
	say(&ret->of[RESOURCE_FILES], by, limits->files, files);
}

void
apart_usage(const struct box *box, pid_t pid, struct provider_usage *ret)
{
	struct cgroup_usage group;
	struct box_limits limits;
	struct cgroup cgroup;
	char name[GROUP_LEN];
	bool isolated = box->isolation == ISOLATION_NAMESPACES;

	if (!read_record(box, &limits, &cgroup))
		return;
	name_group(box, name);
	group = cgroup_read(pid, name);
	if (group.processes_max != 0 || isolated)
		say(&ret->of[RESOURCE_PROCESSES], LIMITED_EXACTLY,
		    limits.processes,
		    group.processes != 0 ? group.processes : PROVIDER_UNKNOWN);
	if (group.memory_max != 0)
		say(&ret->of[RESOURCE_MEMORY], LIMITED_EXACTLY,
		    group.memory_max, group.memory);
	else if (isolated)
		say(&ret->of[RESOURCE_MEMORY], LIMITED_EACH, limits.memory,
		    PROVIDER_UNKNOWN);
	if (!isolated)
		return;
	say(&ret->of[RESOURCE_TMPFS], LIMITED_EXACTLY, limits.tmpfs,
	    PROVIDER_UNKNOWN);
	say(&ret->of[RESOURCE_PTYS], LIMITED_EXACTLY, limits.ptys,
	    PROVIDER_UNKNOWN);
	workspace_usage(box, &limits, ret);
}
