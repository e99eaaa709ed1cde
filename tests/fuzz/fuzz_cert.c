/* SPDX-License-Identifier: ISC */
/*
 * Certificates and public keys: as blobs, as lines, and judged by the
 * policy of the login gate with the certificate's own CA trusted.
 */
#include <string.h>

#include "certs/check.h"
#include "tests/fuzz/fuzz.h"

static void
walk(const struct cert *cert)
{
	struct view cursor = cert->principals, principal;
	struct cert_option option;
	size_t count = 0, bytes = 0;

	while (cert_next_principal(&cursor, &principal)) {
		count++;
		bytes += principal.len;
	}
	FUZZ_ASSERT(count == cert->principal_count);
	FUZZ_ASSERT(count <= CERT_PRINCIPALS_MAX);
	FUZZ_ASSERT(bytes <= cert->blob.len);
	cursor = cert->critical;
	while (cert_next_option(&cursor, &option))
		FUZZ_ASSERT(option.name.len + option.data.len <= CERT_BLOB_MAX);
	cursor = cert->extensions;
	while (cert_next_option(&cursor, &option))
		FUZZ_ASSERT(option.name.len + option.data.len <= CERT_BLOB_MAX);
}

/* Whatever else a grant is, it is for one user, one sandbox and now. */
static void
judge(const struct cert *cert)
{
	struct ca_set trusted = { .count = 1 };
	struct cert_policy policy = {
		.sandbox_id = "run-1234",
		.trusted = &trusted,
		.now = 1800000000,
		.clock_skew = CHECK_SKEW_DEFAULT,
		.max_ttl = (uint64_t)400 * 24 * 3600,
		.permit = PERMIT_DEFAULT,
	};
	struct cert_grant grant;
	struct public_key ca;
	struct view cursor = cert->principals, principal;

	if (key_parse(cert->ca, &ca) != SBX_OK ||
	    key_ed25519(&ca, trusted.key[0]) != SBX_OK)
		return;
	if (cert_check(cert, &policy, &grant) != SBX_OK)
		return;
	FUZZ_ASSERT(cert->type == CERT_TYPE_USER);
	FUZZ_ASSERT(cert->serial != 0);
	FUZZ_ASSERT(cert->valid_before > policy.now);
	FUZZ_ASSERT(cert->valid_after <= policy.now + policy.clock_skew);
	FUZZ_ASSERT(cert->principal_count == 1);
	FUZZ_ASSERT(cert_next_principal(&cursor, &principal));
	FUZZ_ASSERT(view_eq_str(principal, policy.sandbox_id));
	FUZZ_ASSERT((grant.permit & ~policy.permit) == 0);
}

/* A certified key taken out of its certificate is a key. */
static void
look_at(const struct cert *cert)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct public_key key;

	walk(cert);
	judge(cert);
	cert_put_public_key(cert, &blob);
	if (buf_error(&blob) != SBX_OK || blob.len > KEY_BLOB_MAX)
		return;
	FUZZ_ASSERT(key_parse(buf_view(&blob), &key) == SBX_OK);
	FUZZ_ASSERT(key.kind == cert->kind);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	cleanup_buf struct buf cert_blob = BUF_INIT(CERT_BLOB_MAX),
			       key_blob = BUF_INIT(KEY_BLOB_MAX);
	struct view input = VIEW(bytes, size);
	struct public_key key;
	struct ca_set set;
	struct cert cert;

	if (cert_parse(input, &cert) == SBX_OK)
		look_at(&cert);
	if (cert_parse_line(input, &cert_blob, &cert) == SBX_OK)
		look_at(&cert);
	if (key_parse(input, &key) == SBX_OK)
		FUZZ_ASSERT(key.blob.len == size);
	if (key_parse_line(input, &key_blob, &key) == SBX_OK)
		FUZZ_ASSERT(key.kind != NULL);
	if (ca_set_parse("input", input, &set, NULL) == SBX_OK)
		FUZZ_ASSERT(set.count > 0 && set.count <= CHECK_CA_MAX);
	return 0;
}
