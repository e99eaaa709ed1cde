/* SPDX-License-Identifier: ISC */
/*
 * A revocation list in a file, as it stands and with its head signed anew by
 * a CA that is trusted.  A list that is read whole says the same as one that
 * is asked in place, and what does not read whole never says "not revoked"
 * of everything: see doc/revocations.md.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "certs/revlist.h"
#include "certs/cert.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1800000000
#define LENGTH_AT 20 /* in the head: magic and version are before it */
#define SIGNER_AT 24
#define HEAD_LEAST (SIGNER_AT + KEY_ED25519_LEN)
#define SIZE_MAX_FUZZED 65536

static struct keypair ca;
static const char user_key[] = "a user's key";

static int
file_of(struct view bytes)
{
	int fd = memfd_create("list", MFD_CLOEXEC);

	FUZZ_ASSERT(fd >= 0);
	FUZZ_ASSERT(file_write_fd(fd, bytes) == SBX_OK);
	return fd;
}

static bool
has_serial(const struct revset *set, const uint8_t *issuer, uint64_t serial)
{
	for (size_t i = 0; i < set->table_count; i++) {
		const struct revset_table *table = &set->table[i];
		size_t count = revset_range_count(table);

		if (memcmp(table->ca, issuer, KEY_ED25519_LEN) != 0)
			continue;
		for (size_t r = 0; r < count; r++) {
			uint64_t first, last;

			revset_range(table, r, &first, &last);
			if (first <= serial && serial <= last)
				return true;
		}
	}
	return false;
}

/* One that reads whole: every serial of its ranges' ends is found. */
static void
compare(const struct revocations *list, const struct revset *set)
{
	for (size_t i = 0; i < set->table_count; i++) {
		const struct revset_table *table = &set->table[i];
		size_t count = revset_range_count(table);

		for (size_t r = 0; r < count && r < 8; r++) {
			uint64_t first, last;

			revset_range(table, r, &first, &last);
			FUZZ_ASSERT(
			    revocations_check(list, table->ca, first,
				VIEW_STR(user_key), NULL) == SBX_REVOKED);
			FUZZ_ASSERT(
			    revocations_check(list, table->ca, last,
				VIEW_STR(user_key), NULL) == SBX_REVOKED);
			if (last == UINT64_MAX || set->keys.len > 0 ||
			    set->cas.len > 0)
				continue;
			FUZZ_ASSERT(
			    (revocations_check(list, table->ca, last + 1,
				 VIEW_STR(user_key), NULL) == SBX_REVOKED) ==
			    has_serial(set, table->ca, last + 1));
		}
	}
	for (size_t at = 0; at < set->cas.len; at += KEY_ED25519_LEN)
		FUZZ_ASSERT(revocations_check(list, set->cas.p + at, 1,
				VIEW_STR(user_key), NULL) == SBX_REVOKED);
}

static void
ask(struct view bytes)
{
	const struct ca_set trusted = { .count = 1 };
	struct ca_set with_ca = trusted;
	struct revocations_policy policy = { &with_ca, NOW, 60, 0 };
	cleanup_close int fd = file_of(bytes);
	cleanup_revset struct revset set;
	struct revocations list, head;
	struct sbx_why why = { "" };
	enum sbx_err whole, asked;

	memcpy(with_ca.key[0], ca.public, KEY_ED25519_LEN);
	revset_init(&set);
	if (revocations_open(fd, &list, &why) != SBX_OK) {
		FUZZ_ASSERT(revlist_load(fd, &set, &head, &why) != SBX_OK);
		return;
	}
	FUZZ_ASSERT(list.whole_size == bytes.len);
	FUZZ_ASSERT(list.issued_at < list.next_update);
	if (revocations_judge(&list, &policy, &why) == SBX_OK)
		FUZZ_ASSERT(list.next_update > NOW);
	asked =
	    revocations_check(&list, ca.public, 7, VIEW_STR(user_key), &why);
	whole = revlist_load(fd, &set, &head, &why);
	if (whole != SBX_OK)
		return;
	FUZZ_ASSERT(asked == SBX_OK || asked == SBX_REVOKED);
	if (has_serial(&set, ca.public, 7))
		FUZZ_ASSERT(asked == SBX_REVOKED);
	compare(&list, &set);
}

/* As the signer would have signed these bytes. */
static void
ask_signed(struct view bytes)
{
	static uint8_t copy[SIZE_MAX_FUZZED];
	struct wire w = wire_of(bytes);
	uint32_t length;

	(void)wire_bytes(&w, LENGTH_AT);
	length = wire_u32(&w);
	if (wire_error(&w) != SBX_OK || length < HEAD_LEAST ||
	    bytes.len < CERT_SIGNATURE_LEN ||
	    length > bytes.len - CERT_SIGNATURE_LEN)
		return;
	memcpy(copy, bytes.p, bytes.len);
	memcpy(copy + SIGNER_AT, ca.public, KEY_ED25519_LEN);
	(void)crypto_sign_detached(
	    copy + length, NULL, copy, length, ca.secret);
	ask(VIEW(copy, bytes.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };

	if (size > SIZE_MAX_FUZZED)
		return 0;
	(void)crypto_sign_seed_keypair(ca.public, ca.secret, seed);
	ask(VIEW(bytes, size));
	ask_signed(VIEW(bytes, size));
	return 0;
}
