/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/subid.h"

enum sbx_err
ids_parse_subid(
    struct view text, const char *user, uid_t uid, struct id_range *ret)
{
	struct id_range best = { 0, 0 };
	struct subid line;
	char number[24];

	(void)snprintf(number, sizeof(number), "%lu", (unsigned long)uid);
	while (subid_next(&text, &line)) {
		if ((view_eq_str(line.name, user) ||
			view_eq_str(line.name, number)) &&
		    line.count > best.count)
			best = (struct id_range){ line.start, line.count };
	}
	if (best.count == 0)
		return SBX_NOT_FOUND;
	*ret = best;
	return SBX_OK;
}

static enum sbx_err
subid_file(const char *path, const char *option, struct id_range *ret,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(SUBID_FILE_MAX);
	const struct passwd *pw = getpwuid(geteuid());
	const char *user = pw == NULL ? "" : pw->pw_name;
	enum sbx_err err = file_read(AT_FDCWD, path, &text, why);

	if (err != SBX_OK && err != SBX_NOT_FOUND)
		return err;
	err = ids_parse_subid(buf_view(&text), user, geteuid(), ret);
	if (err == SBX_OK && ret->count >= LOCAL_SLICE)
		return SBX_OK;
	return sbx_fail(why, SBX_CONFIG,
	    "%s gives no range of at least %d ids to %s: as root, usermod %s "
	    "100000-165535 %s (or another free range), or set isolation = none",
	    path, LOCAL_SLICE, *user == '\0' ? "this account" : user, option,
	    *user == '\0' ? "USER" : user);
}

enum sbx_err
ids_ranges(const struct provider_context *context, struct local_ranges *ret,
    struct sbx_why *why)
{
	struct local_ranges ranges = { .first_slot = 0 };
	enum sbx_err err;

	if (geteuid() == 0 && context->uid_range_start != 0) {
		ranges.uid.start = context->uid_range_start;
		ranges.uid.count = context->uid_range_count;
		ranges.gid = ranges.uid;
		ranges.first_slot = 1;
		*ret = ranges;
		return SBX_OK;
	}
	err = subid_file("/etc/subuid", "--add-subuids", &ranges.uid, why);
	if (err == SBX_OK)
		err = subid_file(
		    "/etc/subgid", "--add-subgids", &ranges.gid, why);
	if (err == SBX_OK)
		*ret = ranges;
	return err;
}

uint64_t
ids_slot_end(const struct local_ranges *ranges)
{
	uint64_t least = ranges->uid.count < ranges->gid.count
	    ? ranges->uid.count
	    : ranges->gid.count;

	return least / LOCAL_SLICE;
}

static void
unlock_slots(int *slots)
{
	int saved = errno;

	(void)flock(*slots, LOCK_UN);
	errno = saved;
}
#define cleanup_slots __attribute__((cleanup(unlock_slots)))

enum sbx_err
ids_claim(int slots, const struct local_ranges *ranges, const char *id,
    struct local_slice *ret, struct sbx_why *why)
{
	uint64_t end = ids_slot_end(ranges);
	cleanup_slots int held = slots;

	/* Whoever sweeps waits for the name in it. */
	(void)flock(held, LOCK_SH);
	for (uint64_t slot = ranges->first_slot; slot < end; slot++) {
		cleanup_close int fd = -1;
		char name[24];

		(void)snprintf(name, sizeof(name), "%" PRIu64, slot);
		fd = openat(slots, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0 || file_write_fd(fd, VIEW_STR(id)) != SBX_OK) {
			int saved = errno;

			if (fd >= 0)
				(void)unlinkat(slots, name, 0);
			return sbx_fail(why, SBX_IO,
			    "cannot claim uid range %s: %s", name,
			    strerror(saved));
		}
		*ret = (struct local_slice){
			.slot = slot,
			.uid = ranges->uid.start + slot * LOCAL_SLICE,
			.gid = ranges->gid.start + slot * LOCAL_SLICE,
		};
		return SBX_OK;
	}
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "all %" PRIu64 " uid ranges are in use: kill a sandbox, or give "
	    "sandboxd a larger range",
	    end > ranges->first_slot ? end - ranges->first_slot : 0);
}

void
ids_release(int slots, const struct local_slice *slice, const char *id)
{
	cleanup_buf struct buf holder = BUF_INIT(NAME_ID_MAX + 1);
	char name[24];

	(void)snprintf(name, sizeof(name), "%" PRIu64, slice->slot);
	if (file_read(slots, name, &holder, NULL) == SBX_OK &&
	    view_eq_str(buf_view(&holder), id))
		(void)unlinkat(slots, name, 0);
}
