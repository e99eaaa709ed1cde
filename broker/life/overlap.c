/* SPDX-License-Identifier: ISC */
#include "broker/life/overlap.h"

#include <fcntl.h>
#include <inttypes.h>

#include "common/file.h"
#include "common/subid.h"

#define NAME_SHOWN 64

bool
overlap_in(const struct broker_settings *settings, const char *name,
    struct view text, struct sbx_why *ret)
{
	const struct uid_range *own = &settings->uid_range;
	struct subid line;

	while (own->count > 0 && subid_next(&text, &line)) {
		if (line.start >= own->start + own->count ||
		    own->start >= line.start + line.count)
			continue;
		(void)snprintf(ret->text, sizeof(ret->text),
		    "uid_range = %" PRIu64 ":%" PRIu64
		    " of sandboxes overlaps %.*s:%" PRIu64 ":%" PRIu64
		    " in %s, whose processes would share ids with them: kill "
		    "them, and set another uid_range below [local] in %.160s",
		    own->start, own->count,
		    (int)(line.name.len < NAME_SHOWN ? line.name.len
						     : NAME_SHOWN),
		    (const char *)line.name.p, line.start, line.count, name,
		    settings->file);
		return true;
	}
	return false;
}

bool
overlap_find(const struct broker_settings *settings, struct sbx_why *ret)
{
	static const char *const files[] = { "/etc/subuid", "/etc/subgid" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup_buf struct buf text = BUF_INIT(SUBID_FILE_MAX);

		if (settings->uid_range.count > 0 &&
		    file_read(AT_FDCWD, files[i], &text, NULL) == SBX_OK &&
		    overlap_in(settings, files[i], buf_view(&text), ret))
			return true;
	}
	return false;
}
