/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>

#include "broker/providers/local/advice.h"
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

/* As useradd(8) does it: 100000, 165536, ... */
#define FIRST_ADVISED 100000

/* The start of the one that is in the way of a range from start on; 0: none. */
static uint64_t
end_of_taken(struct view text, bool accounts, uint64_t start)
{
	struct subid line;
	uint64_t end = 0;

	while (accounts ? subid_next_account(&text, &line)
			: subid_next(&text, &line)) {
		if (line.start < start + IDS_ADVISED &&
		    start < line.start + line.count &&
		    line.start + line.count > end)
			end = line.start + line.count;
	}
	return end;
}

uint64_t
ids_free(const struct view taken[static IDS_TAKEN])
{
	uint64_t start = FIRST_ADVISED;

	for (int i = 0; i < IDS_TAKEN; i++) {
		uint64_t end =
		    end_of_taken(taken[i], i >= IDS_TAKEN / 2, start);

		if (end == 0)
			continue;
		while (start < end)
			start += IDS_ADVISED;
		i = -1; /* all of them again */
	}
	return start;
}

static enum sbx_err
subid_file(const char *path, struct id_range *ret)
{
	cleanup_buf struct buf text = BUF_INIT(SUBID_FILE_MAX);
	const struct passwd *pw = getpwuid(geteuid());
	enum sbx_err err = file_read(AT_FDCWD, path, &text, NULL);

	if (err == SBX_OK)
		err = ids_parse_subid(buf_view(&text),
		    pw == NULL ? "" : pw->pw_name, geteuid(), ret);
	return err == SBX_OK && ret->count < LOCAL_SLICE ? SBX_NOT_FOUND : err;
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
	err = subid_file("/etc/subuid", &ranges.uid);
	if (err == SBX_OK)
		err = subid_file("/etc/subgid", &ranges.gid);
	if (err == SBX_NOT_FOUND)
		return advice_no_ids(context, why);
	if (err != SBX_OK)
		return sbx_fail(why, err,
		    "cannot read /etc/subuid and /etc/subgid: %s",
		    sbx_err_text(err));
	*ret = ranges;
	return SBX_OK;
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
		if (fd < 0 || file_write_fd(fd, VIEW_STR(id)) != SBX_OK ||
		    fsync(fd) < 0) {
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
