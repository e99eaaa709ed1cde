/* SPDX-License-Identifier: ISC */
/*
 * What a revocation list is made from (revlist.h): CAs, keys and serials,
 * collected in any order, then sorted and merged.
 */
#ifndef SBX_CERTS_REVSET_H
#define SBX_CERTS_REVSET_H

#include "certs/revocations.h"

/* Bytes of each of its parts at most. */
#define REVSET_BYTES_MAX ((size_t)1 << 30)

struct revset {
	struct buf cas; /* KEY_ED25519_LEN each */
	size_t table_count;
	struct revset_table {
		uint8_t ca[KEY_ED25519_LEN];
		struct buf serials; /* first and last, big-endian */
	} table[REVOCATIONS_CAS_MAX];
	struct buf keys; /* REVOCATIONS_KEY_LEN each */
};

void revset_init(struct revset *ret);
void revset_free(struct revset *set); /* NULL allowed */
#define cleanup_revset __attribute__((cleanup(revset_free)))

/*
 * SBX_TOO_LARGE when there are more CAs or more bytes than fit.  What is
 * added twice counts once.
 */
enum sbx_err revset_add_ca(
    struct revset *set, const uint8_t ca[static KEY_ED25519_LEN]) MUST_USE;
/* first <= last, or SBX_BAD_VALUE. */
enum sbx_err
revset_add_serials(struct revset *set, const uint8_t ca[static KEY_ED25519_LEN],
    uint64_t first, uint64_t last) MUST_USE;
enum sbx_err revset_add_key(struct revset *set,
    const uint8_t hash[static REVOCATIONS_KEY_LEN]) MUST_USE;

/* All of more, too. */
enum sbx_err
revset_add_all(struct revset *set, const struct revset *more) MUST_USE;

/* The table of this CA's serials, made if missing; NULL if it is one too many.
 */
struct revset_table *revset_table(
    struct revset *set, const uint8_t ca[static KEY_ED25519_LEN]) MUST_USE;
bool revset_has_ca(const struct revset *set,
    const uint8_t ca[static KEY_ED25519_LEN]) MUST_USE;

/* Everything into its one canonical form: sorted, ranges merged. */
enum sbx_err revset_sort(struct revset *set) MUST_USE;
/* The serials of a sorted set's table, and how many ranges there are. */
size_t revset_range_count(const struct revset_table *table) MUST_USE;
void revset_range(const struct revset_table *table, size_t i,
    uint64_t *ret_first, uint64_t *ret_last);

#endif
