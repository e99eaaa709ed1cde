/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define TABLE_MAX (1024 * 1024) /* of /proc */
#define VALUE_MAX 16384
#define REMOVE_TRIES 100

/* By version: what a controller's files are called. */
enum { V1, V2, VERSIONS };

static const struct controller {
	const char *name;
	const char *max[VERSIONS];
	const char *used[VERSIONS];
	const char *swap[VERSIONS]; /* NULL: none */
} controllers[CGROUP_MAX] = {
	{ "pids", { "pids.max", "pids.max" },
	    { "pids.current", "pids.current" }, { NULL, NULL } },
	{ "memory", { "memory.limit_in_bytes", "memory.max" },
	    { "memory.usage_in_bytes", "memory.current" },
	    { "memory.memsw.limit_in_bytes", "memory.swap.max" } },
};
#define MEMORY 1

/* Where the groups of a controller are mounted, and a process's in it. */
struct place {
	int version;
	char mount[PATHS_MAX];
	char root[PATHS_MAX];  /* which group is at mount */
	char group[PATHS_MAX]; /* the process's */
};

/* Is word one of those between commas? */
static bool
has_word(struct view list, const char *word)
{
	while (list.len > 0) {
		const uint8_t *comma = memchr(list.p, ',', list.len);
		struct view item = list;

		if (comma != NULL)
			item.len = (size_t)(comma - list.p);
		if (view_eq_str(item, word))
			return true;
		list.p += item.len + (comma != NULL);
		list.len -= item.len + (comma != NULL);
	}
	return false;
}

/* A line of /proc/PID/mountinfo; false if it is not the one we look for. */
static bool
parse_mount(struct view line, const char *controller, struct place *ret)
{
	struct view word, root = VIEW(NULL, 0), mount = root, type = root;
	size_t number = 0;
	bool unified;

	/* ID PARENT DEVICE ROOT MOUNT OPTIONS [TAG...] - TYPE SOURCE OPTIONS */
	while (text_next_word(&line, &word) && !view_eq_str(word, "-")) {
		if (number == 3)
			root = word;
		if (number == 4)
			mount = word;
		number++;
	}
	if (!text_next_word(&line, &type) || !text_next_word(&line, &word) ||
	    !text_next_word(&line, &word))
		return false;
	unified = view_eq_str(type, "cgroup2");
	if (!unified &&
	    !(view_eq_str(type, "cgroup") && has_word(word, controller)))
		return false;
	ret->version = unified ? V2 : V1;
	return text_copy(root, ret->root, sizeof(ret->root)) == SBX_OK &&
	    text_copy(mount, ret->mount, sizeof(ret->mount)) == SBX_OK;
}

/* A controller of version 1 is not in version 2 as well. */
static bool
find_mount(const char *controller, struct place *ret)
{
	cleanup_buf struct buf text = BUF_INIT(TABLE_MAX);
	struct view cursor, line;
	struct place place;
	bool found = false;

	if (file_read(AT_FDCWD, "/proc/self/mountinfo", &text, NULL) != SBX_OK)
		return false;
	cursor = buf_view(&text);
	while (text_next_line(&cursor, &line)) {
		if (!parse_mount(line, controller, &place) ||
		    (found && place.version == V2))
			continue;
		*ret = place;
		found = true;
	}
	return found;
}

/* A line "NUMBER:CONTROLLERS:GROUP" of /proc/PID/cgroup. */
static bool
parse_group(struct view line, const char *controller, struct place *ret)
{
	const uint8_t *first = memchr(line.p, ':', line.len), *second;
	const uint8_t *end = line.p + line.len;
	struct view names;

	if (first == NULL)
		return false;
	second = memchr(first + 1, ':', (size_t)(end - first - 1));
	if (second == NULL)
		return false;
	names = VIEW(first + 1, second - first - 1);
	if (ret->version == V2 ? names.len != 0 : !has_word(names, controller))
		return false;
	return text_copy(VIEW(second + 1, end - second - 1), ret->group,
		   sizeof(ret->group)) == SBX_OK;
}

static bool
find_place(pid_t pid, const char *controller, struct place *ret)
{
	cleanup_buf struct buf text = BUF_INIT(TABLE_MAX);
	struct view cursor, line;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
	if (!find_mount(controller, ret) ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return false;
	cursor = buf_view(&text);
	while (text_next_line(&cursor, &line)) {
		if (parse_group(line, controller, ret))
			return true;
	}
	return false;
}

/* The folder of its group; false if it lies outside of what is mounted. */
static bool
folder_of(const struct place *place, char ret[static PATHS_MAX])
{
	size_t len = strcmp(place->root, "/") == 0 ? 0 : strlen(place->root);

	if (strncmp(place->group, place->root, len) != 0 ||
	    strstr(place->group, "/../") != NULL)
		return false;
	if (strcmp(place->group + len, "/") == 0)
		len++;
	return (size_t)snprintf(ret, PATHS_MAX, "%s%s", place->mount,
		   place->group + len) < PATHS_MAX;
}

static bool
write_file(const char *folder, const char *name, const char *text)
{
	char path[PATHS_MAX];
	cleanup_close int fd = -1;

	if (paths_join(folder, name, path) != SBX_OK)
		return false;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && file_write_fd(fd, VIEW_STR(text)) == SBX_OK;
}

static bool
write_number(const char *folder, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return write_file(folder, name, text);
}

/* A number that stands alone or, with a key, after it; "max" is none. */
static bool
read_number(
    const char *folder, const char *name, const char *key, uint64_t *ret)
{
	cleanup_buf struct buf text = BUF_INIT(VALUE_MAX);
	struct view cursor, line, word = VIEW(NULL, 0);
	char path[PATHS_MAX], number[24];

	if (paths_join(folder, name, path) != SBX_OK ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return false;
	cursor = buf_view(&text);
	while (text_next_line(&cursor, &line)) {
		if (key != NULL &&
		    !(text_next_word(&line, &word) && view_eq_str(word, key)))
			continue;
		/* Version 1 has no word for no limit. */
		return text_next_word(&line, &word) &&
		    text_copy(word, number, sizeof(number)) == SBX_OK &&
		    text_uint(number, 0, INT64_MAX / 2, ret) == SBX_OK;
	}
	return false;
}

/*
 * Where ours go.  In version 2 a group has either processes or groups, so
 * not below our own.
 */
static bool
folder_for_ours(const struct place *place, char ret[static PATHS_MAX])
{
	char *slash;

	if (!folder_of(place, ret))
		return false;
	slash = strrchr(ret, '/');
	if (place->version == V2 && slash != NULL &&
	    strlen(ret) > strlen(place->mount) + 1)
		*slash = '\0';
	return true;
}

static bool
limit(const char *folder, const struct controller *c, int version, uint64_t max)
{
	if (!write_number(folder, c->max[version], max))
		return false;
	/* Where swap is not counted there is no such file. */
	if (c->swap[version] != NULL)
		(void)write_number(
		    folder, c->swap[version], version == V2 ? 0 : max);
	return true;
}

/* A process that is there already is not moved: that waits for RCU. */
static bool
is_in(const char *folder, pid_t pid, const struct controller *c)
{
	char now[PATHS_MAX];
	struct place place;

	return find_place(pid, c->name, &place) && folder_of(&place, now) &&
	    strcmp(now, folder) == 0;
}

static void
make_one(const char *path, const struct controller *c, uint64_t max, pid_t pid)
{
	char parent[PATHS_MAX];
	struct place place;

	if (*path == '\0' || !find_place(getpid(), c->name, &place) ||
	    !folder_for_ours(&place, parent))
		return;
	if (place.version == V2)
		(void)write_file(parent, "cgroup.subtree_control",
		    strcmp(c->name, "pids") == 0 ? "+pids" : "+memory");
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return;
	if (limit(path, c, place.version, max) && !is_in(path, pid, c))
		(void)write_number(path, "cgroup.procs", (uint64_t)pid);
}

struct cgroup
cgroup_name(const char *name)
{
	struct cgroup cgroup = { { "" } };
	char parent[PATHS_MAX];
	struct place place;

	for (size_t i = 0; i < CGROUP_MAX; i++) {
		if (!find_place(getpid(), controllers[i].name, &place) ||
		    !folder_for_ours(&place, parent) ||
		    paths_join(parent, name, cgroup.path[i]) != SBX_OK)
			cgroup.path[i][0] = '\0';
	}
	return cgroup;
}

void
cgroup_make(
    const struct cgroup *cgroup, const struct box_limits *limits, pid_t pid)
{
	const uint64_t max[CGROUP_MAX] = { limits->processes + LIMITS_SPARE,
		limits->memory };

	for (size_t i = 0; i < CGROUP_MAX; i++)
		make_one(cgroup->path[i], &controllers[i], max[i], pid);
}

void
cgroup_remove(const struct cgroup *cgroup)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };

	for (size_t i = 0; i < CGROUP_MAX; i++) {
		/* The last process may not have left it yet. */
		for (int tries = 0;
		     *cgroup->path[i] != '\0' && rmdir(cgroup->path[i]) < 0 &&
		     errno == EBUSY && tries < REMOVE_TRIES;
		     tries++)
			(void)nanosleep(&pause, NULL);
	}
}

static bool
is_called(const char *folder, const char *name)
{
	const char *slash = strrchr(folder, '/');

	return slash != NULL && strncmp(slash + 1, name, strlen(name)) == 0;
}

/* What can be given back at once does not count. */
static uint64_t
without_cache(const char *folder, int version, uint64_t used)
{
	uint64_t cache = 0;

	if (!read_number(folder, "memory.stat",
		version == V2 ? "inactive_file" : "total_inactive_file",
		&cache) ||
	    cache > used)
		return used;
	return used - cache;
}

struct cgroup_usage
cgroup_read(pid_t pid, const char *name)
{
	uint64_t used[CGROUP_MAX] = { 0 }, max[CGROUP_MAX] = { 0 };
	char folder[PATHS_MAX];

	for (size_t i = 0; i < CGROUP_MAX; i++) {
		const struct controller *c = &controllers[i];
		struct place place;

		if (!find_place(pid, c->name, &place) ||
		    !folder_of(&place, folder) || !is_called(folder, name) ||
		    !read_number(
			folder, c->used[place.version], NULL, &used[i]) ||
		    !read_number(folder, c->max[place.version], NULL, &max[i]))
			continue;
		if (i == MEMORY)
			used[i] = without_cache(folder, place.version, used[i]);
	}
	return (struct cgroup_usage){ .processes = used[0],
		.processes_max = max[0],
		.memory = used[MEMORY],
		.memory_max = max[MEMORY] };
}

uint64_t
cgroup_machine_memory(void)
{
	const struct controller *c = &controllers[MEMORY];
	uint64_t max,
	    all = (uint64_t)sysconf(_SC_PHYS_PAGES) *
	    (uint64_t)sysconf(_SC_PAGESIZE);
	char folder[PATHS_MAX];
	struct place place;

	if (find_place(getpid(), c->name, &place) &&
	    folder_of(&place, folder) &&
	    read_number(folder, c->max[place.version], NULL, &max) && max < all)
		return max;
	return all;
}
