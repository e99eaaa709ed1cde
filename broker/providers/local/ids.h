/* SPDX-License-Identifier: ISC */
/*
 * Which user and group ids belong to which sandbox.
 *
 * A sandbox gets a slice of LOCAL_SLICE consecutive ids, its own 0 being the
 * first of them.  Slices are numbered: slot N is claimed by the file
 * STATE/slots/N, which holds the id of the sandbox.  Started as root, the
 * range is a setting, and its slot 0 is for sandboxd's own processes;
 * otherwise it is what /etc/subuid and /etc/subgid give to the account.
 */
#ifndef SBX_LOCAL_IDS_H
#define SBX_LOCAL_IDS_H

#include "broker/providers/provider.h"
#include "common/wire.h"

#define LOCAL_SLICE 2048
/* Ids inside a slice. */
#define LOCAL_UID_SSHD 74
#define LOCAL_UID_AUTHKEYS 75
#define LOCAL_UID_SANDBOX 1000
#define LOCAL_GID_TTY 5

struct id_range {
	uint64_t start;
	uint64_t count;
};

struct local_ranges {
	struct id_range uid;
	struct id_range gid;
	uint64_t first_slot;
};

struct local_slice {
	uint64_t slot;
	uint64_t uid; /* the host's id of the sandbox's 0 */
	uint64_t gid;
};

/*
 * The largest range that the text of a subuid(5) file gives to the account,
 * named by name or number; SBX_NOT_FOUND.  Malformed lines are skipped, as
 * newuidmap(1) does.
 */
enum sbx_err ids_parse_subid(struct view text, const char *user, uid_t uid,
    struct id_range *ret) MUST_USE;

/* What an account is given: a range of so many, from a multiple of them on. */
#define IDS_ADVISED 65536

/* Texts of subuid(5), subgid(5), passwd(5) and group(5), in this order. */
#define IDS_TAKEN 4
/* The lowest range that none of them has any of. */
uint64_t ids_free(const struct view taken[static IDS_TAKEN]) MUST_USE;

/* The ranges of this process; SBX_CONFIG if it has none. */
enum sbx_err ids_ranges(const struct provider_context *context,
    struct local_ranges *ret, struct sbx_why *why) MUST_USE;

/* How many slots there are, the first included. */
uint64_t ids_slot_end(const struct local_ranges *ranges);

/* Take the lowest free slot; slots is the open folder STATE/slots. */
enum sbx_err ids_claim(int slots, const struct local_ranges *ranges,
    const char *id, struct local_slice *ret, struct sbx_why *why) MUST_USE;
/* Give it back, if it is still held by id. */
void ids_release(int slots, const struct local_slice *slice, const char *id);

#endif
