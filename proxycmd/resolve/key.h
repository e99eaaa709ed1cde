/* SPDX-License-Identifier: ISC */
/*
 * The key that gets certified: one that is made here and lives in the cache,
 * or the user's own ([ssh] public_key), whose private half may be a file
 * beside it, an agent or a piece of hardware.
 */
#ifndef SBX_RESOLVE_KEY_H
#define SBX_RESOLVE_KEY_H

#include "certs/keyfile.h"

#define LOGIN_KEY_PATH 512

struct login_key {
	struct buf blob;	   /* plain public key */
	struct buf private_key;	   /* text of its file; empty: not ours */
	struct buf public_line;	   /* text of a .pub file; empty: ours */
	char link[LOGIN_KEY_PATH]; /* the user's private key; "" for none */
};

/* Make one. */
enum sbx_err login_key_make(
    const char *comment, struct login_key *ret, struct sbx_why *why) MUST_USE;
/* The one in this private key file, which owner owns. */
enum sbx_err login_key_keep(const char *path, const char *comment, uid_t owner,
    struct login_key *ret, struct sbx_why *why) MUST_USE;
/* The user's own, from the .pub file path. */
enum sbx_err login_key_own(
    const char *path, struct login_key *ret, struct sbx_why *why) MUST_USE;

/*
 * The text of a file with private key and certificate, a line, in one; empty
 * if the key is not ours.
 */
void login_key_put_certified(const struct login_key *key,
    struct view certificate, const char *comment, struct buf *ret);

#define LOGIN_KEY_INIT                                     \
	{                                                  \
		.blob = BUF_INIT(KEY_BLOB_MAX),            \
		.private_key = BUF_INIT(KEYFILE_MAX),      \
		.public_line = BUF_INIT(2 * KEY_BLOB_MAX), \
	}
void login_key_free(struct login_key *key); /* wipes */
#define cleanup_login_key __attribute__((cleanup(login_key_free)))

#endif
