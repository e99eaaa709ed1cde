/* SPDX-License-Identifier: ISC */
#include "certs/cmd/listfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/text.h"

#define AHEAD_MAX 60 /* seconds; the gate's clock_skew */

enum sbx_err
listfile_lock(const char *path, int *ret_fd, struct sbx_why *why)
{
	cleanup_buf struct buf name = BUF_INIT(PATHS_MAX);

	buf_printf(&name, "%s.lock", path);
	if (buf_error(&name) != SBX_OK)
		return buf_error(&name);
	return file_lock(
	    AT_FDCWD, buf_text(&name), /* wait= */ true, ret_fd, why);
}

enum sbx_err
listfile_load(const char *path, const uint8_t signer[static KEY_ED25519_LEN],
    struct revset *set, struct sbx_why *why)
{
	cleanup_close int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_revset struct revset old;
	struct revocations head;
	struct sbx_why inner = { "" };
	enum sbx_err err;

	revset_init(&old);
	if (fd < 0)
		return sbx_fail(why,
		    errno == ENOENT ? SBX_NOT_FOUND : SBX_UNREADABLE,
		    "cannot open %s: %s", path, strerror(errno));
	err = revlist_load(fd, &old, &head, &inner);
	if (err != SBX_OK)
		return sbx_fail(
		    why, err, "%s: %s", path, sbx_why_text(&inner, err));
	/*
	 * Else whoever can write the file could have the CA sign a list that
	 * lacks what was revoked.
	 */
	if (memcmp(head.signer, signer, KEY_ED25519_LEN) != 0)
		return sbx_fail(why, SBX_REVOKED_SIGNER,
		    "%s is signed by another CA: look at it with "
		    "'revocations show', and give that to "
		    "'revocations sign --from'",
		    path);
	if (head.next_update <= (uint64_t)time(NULL))
		return sbx_fail(why, SBX_REVOKED_STALE,
		    "%s has ended, and may be an old one put back: look at it "
		    "with 'revocations show', and give that to "
		    "'revocations sign --from'",
		    path);
	return revset_add_all(set, &old);
}

/* Else the list before it may be there again after a crash. */
static enum sbx_err
sync_folder(const char *path, struct sbx_why *why)
{
	char folder[PATHS_MAX];
	cleanup_close int fd = -1;
	char *slash;

	if (text_copy(VIEW_STR(path), folder, sizeof(folder)) != SBX_OK)
		return SBX_TOO_LARGE;
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[1] = '\0';
	fd = open(
	    slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return sbx_fail(why, SBX_IO,
		    "%s may be lost in a crash: cannot sync its folder: %s",
		    path, strerror(errno));
	return SBX_OK;
}

/*
 * Now, or the second after the list before if that is not past: the gate
 * tells older from newer lists by this time, and would refuse everybody if
 * the list that counts were the older one.
 */
static enum sbx_err
issue_time(const char *path, uint64_t now, uint64_t *ret, struct sbx_why *why)
{
	cleanup_close int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct revocations before;

	*ret = now;
	if (fd < 0 || revocations_open(fd, &before, NULL) != SBX_OK ||
	    before.issued_at < now)
		return SBX_OK;
	if (before.issued_at - now >= AHEAD_MAX)
		return sbx_fail(why, SBX_STATE,
		    "%s was issued %" PRIu64 " s from now: set the clock, or "
		    "if it was wrong then, move that list away",
		    path, before.issued_at - now);
	*ret = before.issued_at + 1;
	return SBX_OK;
}

enum sbx_err
listfile_write(const char *path, struct revset *set, const struct ca_key *ca,
    uint64_t life, struct sbx_why *why)
{
	cleanup_buf struct buf list = BUF_INIT(REVLIST_MAX);
	uint64_t at;
	enum sbx_err err = issue_time(path, (uint64_t)time(NULL), &at, why);

	if (err == SBX_OK)
		err = revlist_sign(set, ca, at, at + life, &list, why);
	if (err != SBX_OK)
		return err;
	err = file_write_atomic(AT_FDCWD, path, 0644, buf_view(&list), why);
	return err != SBX_OK ? err : sync_folder(path, why);
}
