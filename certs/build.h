/* SPDX-License-Identifier: ISC */
/*
 * Making a certificate.  What is built is canonical: options sorted and
 * without repeats, reserved field empty, 32 bytes of nonce.
 */
#ifndef SBX_CERTS_BUILD_H
#define SBX_CERTS_BUILD_H

#include "certs/ca_key.h"
#include "certs/cert.h"
#include "certs/permit.h"

#define BUILD_NONCE_LEN 32
#define BUILD_ALIASES_MAX 63

struct cert_request {
	struct view public_key; /* plain key blob that gets certified */
	uint32_t type;		/* CERT_TYPE_USER or CERT_TYPE_HOST */
	const char *principal;	/* exactly one: a sandbox id, or a host name */
	/* More names of a host, ends with NULL; NULL: none. */
	const char *const *aliases;
	const char *key_id;
	uint64_t serial;      /* not 0 */
	uint64_t valid_after; /* Unix time; after < before */
	uint64_t valid_before;
	unsigned permit; /* enum permit bits */
	bool single_use;
	const char *source_address; /* CIDR list, NULL: none */
	const char *force_command;  /* NULL: none */
};

/* Would cert_issue make it?  The key and the CA are not looked at. */
enum sbx_err cert_request_check(
    const struct cert_request *request, struct sbx_why *why) MUST_USE;
/*
 * Build and sign; the blob is appended to ret.  The nonce is a parameter so
 * that tests are repeatable; callers fill it with randombytes_buf().
 */
enum sbx_err cert_issue(const struct cert_request *request,
    const uint8_t nonce[static BUILD_NONCE_LEN], const struct ca_key *ca,
    struct buf *ret, struct sbx_why *why) MUST_USE;

#endif
