/* SPDX-License-Identifier: ISC */
/*
 * The decision over one certificate together with what the gate remembers:
 * decide.h, at a time that never goes back, and then the claim of a
 * certificate that is for a single use.
 */
#ifndef SBX_AUTHKEYS_ADMIT_H
#define SBX_AUTHKEYS_ADMIT_H

#include "authkeys/connection.h"
#include "authkeys/decide.h"
#include "authkeys/revoked.h"

struct admit_context {
	const struct gate_settings *settings;
	uint64_t now;	     /* Unix time */
	uid_t trusted_owner; /* of files besides root, or FILE_NO_OWNER */
	uid_t state_owner;
	/* connection_of_parent; called only if it matters */
	enum sbx_err (*connection)(struct connection *ret, struct sbx_why *why);
};

/*
 * As decide().  After SBX_OK why may still hold something for the log: a
 * floor that could not be written, as on a full disk, keeps only those out
 * whose certificate is for a single use.
 */
enum sbx_err
admit(const struct admit_context *context, const struct request *request,
    struct decision *ret, struct sbx_why *why) MUST_USE;

/*
 * All of it that needs no memory, as where there is no state_dir: decide(),
 * then the revocation list.  It writes nothing.
 */
enum sbx_err
admit_judge(const struct request *request, const struct gate_settings *settings,
    uid_t trusted_owner, uint64_t now, struct decision *ret,
    struct revoked_list *ret_list, struct sbx_why *why) MUST_USE;

#endif
