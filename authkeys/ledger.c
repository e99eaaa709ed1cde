/* SPDX-License-Identifier: ISC */
#include "authkeys/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "authkeys/floor.h"
#include "common/cleanup.h"
#include "common/text.h"

#define CLAIMS "claims"
#define EXPIRY "expiry"
#define HOUR 3600

/* CA, "-", serial; for the entry in expiry "." and a random number too. */
#define NAME_LEN (2 * KEY_ED25519_LEN + 1 + 16)
#define ENTRY_LEN (NAME_LEN + 1 + 16)
#define HOUR_LEN 24

/* Of the hours, most of which are to come, looked at in one sweep. */
#define SWEEP_HOURS_MAX 256

struct folders {
	int claims;
	int expiry;
	int hour;
};

#define FOLDERS_INIT ((struct folders){ -1, -1, -1 })

static void
close_folders(struct folders *folders)
{
	cleanup_close_fn(&folders->claims);
	cleanup_close_fn(&folders->expiry);
	cleanup_close_fn(&folders->hour);
}

#define cleanup_folders __attribute__((cleanup(close_folders)))

static void
put_name(const struct claim *claim, char ret[static NAME_LEN + 1])
{
	char ca[2 * KEY_ED25519_LEN + 1];

	(void)sodium_bin2hex(ca, sizeof(ca), claim->ca, KEY_ED25519_LEN);
	(void)snprintf(ret, NAME_LEN + 1, "%s-%016" PRIx64, ca, claim->serial);
}

/* Whose is it?  SBX_NOT_FOUND: nobody's yet. */
static enum sbx_err
compare(const struct state *state, const struct folders *folders,
    const char *name, const struct connection *connection, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(CONNECTION_MAX);
	enum sbx_err err = state_read(state, folders->claims, name, &text, why);

	if (err != SBX_OK && err != SBX_TOO_LARGE)
		return err;
	if (err == SBX_OK && view_eq_str(buf_view(&text), connection->text))
		return SBX_OK;
	return sbx_fail(why, SBX_USED,
	    "another connection used it; ask for a new certificate");
}

/*
 * The claim is first written under a name of its own, in the folder of the
 * hour in which it ends.  That name stays: it is how ledger_sweep finds the
 * claim later, and what a run that was killed leaves behind.
 */
static enum sbx_err
write_entry(const struct state *state, const struct claim *claim,
    const char *name, struct folders *folders, char ret[static ENTRY_LEN + 1],
    struct sbx_why *why)
{
	char hour[HOUR_LEN];
	uint64_t number;
	enum sbx_err err;

	randombytes_buf(&number, sizeof(number));
	(void)snprintf(ret, ENTRY_LEN + 1, "%s.%016" PRIx64, name, number);
	(void)snprintf(
	    hour, sizeof(hour), "%" PRIu64, claim->valid_before / HOUR);
	err =
	    state_open_folder(state, state->dir, EXPIRY, &folders->expiry, why);
	if (err == SBX_OK)
		err = state_open_folder(
		    state, folders->expiry, hour, &folders->hour, why);
	if (err == SBX_OK)
		err = state_create(state, folders->hour, ret,
		    VIEW_STR(claim->connection->text), why);
	return err;
}

/* The one step that decides who has it is link(2). */
static enum sbx_err
take(const struct state *state, const struct claim *claim, const char *name,
    struct folders *folders, struct sbx_why *why)
{
	char entry[ENTRY_LEN + 1];
	enum sbx_err err = write_entry(state, claim, name, folders, entry, why);

	if (err != SBX_OK)
		return err;
	if (linkat(folders->hour, entry, folders->claims, name, 0) == 0)
		return SBX_OK;
	if (errno == EEXIST)
		err = compare(state, folders, name, claim->connection, why);
	else
		err = state_fail(state, "claim", name, why);
	(void)unlinkat(folders->hour, entry, 0);
	return err == SBX_NOT_FOUND ? SBX_USED : err;
}

/*
 * Whether a sync failed is told only once: the next one succeeds, though the
 * claim may be gone after a crash, or as soon as the kernel reads the folder
 * from disk again.  So this claim is nobody's any more; without its bytes it
 * fits no connection.
 */
static enum sbx_err
spoil(const struct folders *folders, const char *name, enum sbx_err err)
{
	cleanup_close int fd = openat(folders->claims, name,
	    O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	/* Denied whatever comes of it: there is nothing better to do. */
	(void)fd;
	return err;
}

/*
 * A claim of somebody else's may have been swept away since this certificate
 * was judged; if so, its end is on disk as the floor.
 */
static enum sbx_err
check_floor(
    const struct state *state, const struct claim *claim, struct sbx_why *why)
{
	uint64_t floor = 0;
	enum sbx_err err = floor_read(state, &floor, why);

	if (err == SBX_OK && floor >= claim->valid_before)
		return SBX_EXPIRED;
	return err;
}

enum sbx_err
ledger_claim(
    const struct state *state, const struct claim *claim, struct sbx_why *why)
{
	cleanup_folders struct folders folders = FOLDERS_INIT;
	char name[NAME_LEN + 1];
	enum sbx_err err =
	    state_open_folder(state, state->dir, CLAIMS, &folders.claims, why);

	if (err != SBX_OK)
		return err;
	put_name(claim, name);
	err = compare(state, &folders, name, claim->connection, why);
	if (err == SBX_NOT_FOUND)
		err = take(state, claim, name, &folders, why);
	/* Also if an earlier run took it, which may have been killed here. */
	if (err != SBX_OK)
		return err;
	err = state_sync(state, folders.claims, CLAIMS, why);
	if (err == SBX_OK)
		err = state_sync(state, state->dir, "", why);
	if (err != SBX_OK)
		return spoil(&folders, name, err);
	return check_floor(state, claim, why);
}

static bool
same_file(int dir, const char *name, int other_dir, const char *other)
{
	struct stat a, b;

	return fstatat(dir, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(other_dir, other, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The claim goes before the entry, without which it is not found again. */
static void
remove_entry(const struct folders *folders, const char *entry)
{
	char name[NAME_LEN + 1];

	if (strlen(entry) == ENTRY_LEN) {
		memcpy(name, entry, NAME_LEN);
		name[NAME_LEN] = '\0';
		if (same_file(folders->claims, name, folders->hour, entry) &&
		    unlinkat(folders->claims, name, 0) < 0)
			return;
	}
	(void)unlinkat(folders->hour, entry, 0);
}

static DIR *
list(int dir)
{
	cleanup_close int fd =
	    openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *ret = fd < 0 ? NULL : fdopendir(fd);

	if (ret != NULL)
		(void)steal_fd(&fd);
	return ret;
}

static void
sweep_hour(const struct state *state, struct folders *folders, const char *hour,
    int *left)
{
	if (state_open_folder(
		state, folders->expiry, hour, &folders->hour, NULL) == SBX_OK) {
		cleanup_dir DIR *dir = list(folders->hour);
		const struct dirent *entry;

		while (dir != NULL && *left > 0 &&
		    (entry = readdir(dir)) != NULL) {
			if (entry->d_name[0] == '.')
				continue;
			remove_entry(folders, entry->d_name);
			(*left)--;
		}
		(void)close(steal_fd(&folders->hour));
	}
	/* Fails, rightly, while something is in it. */
	(void)unlinkat(folders->expiry, hour, AT_REMOVEDIR);
}

void
ledger_sweep(const struct state *state, uint64_t floor)
{
	cleanup_folders struct folders folders = FOLDERS_INIT;
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	int left = LEDGER_SWEEP_MAX;
	bool safe = false;

	if (state_open_folder(
		state, state->dir, CLAIMS, &folders.claims, NULL) != SBX_OK ||
	    state_open_folder(
		state, state->dir, EXPIRY, &folders.expiry, NULL) != SBX_OK)
		return;
	dir = list(folders.expiry);
	for (int i = 0; dir != NULL && left > 0 && i < SWEEP_HOURS_MAX &&
	     (entry = readdir(dir)) != NULL;
	     i++) {
		uint64_t hour;

		if (text_uint(entry->d_name, 0, UINT64_MAX / HOUR - 1, &hour) !=
			SBX_OK ||
		    (hour + 1) * HOUR > floor)
			continue;
		/* Whoever wrote the floor may have been killed too early. */
		safe = safe || fsync(state->dir) == 0;
		if (!safe)
			return;
		sweep_hour(state, &folders, entry->d_name, &left);
	}
}
