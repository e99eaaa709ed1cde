/* SPDX-License-Identifier: ISC */
#include "certs/revset.h"

#include <stdlib.h>
#include <string.h>

#define RANGE_LEN (2 * REVOCATIONS_SERIAL_LEN)

void
revset_init(struct revset *ret)
{
	*ret = (struct revset){
		.cas = BUF_INIT(REVSET_BYTES_MAX),
		.keys = BUF_INIT(REVSET_BYTES_MAX),
	};
}

void
revset_free(struct revset *set)
{
	if (set == NULL)
		return;
	buf_free(&set->cas);
	buf_free(&set->keys);
	for (size_t i = 0; i < set->table_count; i++)
		buf_free(&set->table[i].serials);
	set->table_count = 0;
}

enum sbx_err
revset_add_ca(struct revset *set, const uint8_t ca[static KEY_ED25519_LEN])
{
	buf_put(&set->cas, ca, KEY_ED25519_LEN);
	return buf_error(&set->cas);
}

enum sbx_err
revset_add_key(
    struct revset *set, const uint8_t hash[static REVOCATIONS_KEY_LEN])
{
	buf_put(&set->keys, hash, REVOCATIONS_KEY_LEN);
	return buf_error(&set->keys);
}

struct revset_table *
revset_table(struct revset *set, const uint8_t ca[static KEY_ED25519_LEN])
{
	struct revset_table *table = set->table;

	for (size_t i = 0; i < set->table_count; i++, table++) {
		if (memcmp(table->ca, ca, sizeof(table->ca)) == 0)
			return table;
	}
	if (set->table_count == REVOCATIONS_CAS_MAX)
		return NULL;
	set->table_count++;
	*table = (struct revset_table){ .serials = BUF_INIT(REVSET_BYTES_MAX) };
	memcpy(table->ca, ca, sizeof(table->ca));
	return table;
}

enum sbx_err
revset_add_serials(struct revset *set, const uint8_t ca[static KEY_ED25519_LEN],
    uint64_t first, uint64_t last)
{
	struct revset_table *table;

	if (first > last)
		return SBX_BAD_VALUE;
	table = revset_table(set, ca);
	if (table == NULL)
		return SBX_TOO_LARGE;
	buf_put_u64(&table->serials, first);
	buf_put_u64(&table->serials, last);
	return buf_error(&table->serials);
}

static int
compare_32(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static int
compare_ranges(const void *a, const void *b)
{
	return memcmp(a, b, RANGE_LEN);
}

static int
compare_tables(const void *a, const void *b)
{
	const struct revset_table *left = a, *right = b;

	return memcmp(left->ca, right->ca, sizeof(left->ca));
}

/* Both kinds of single entries have this many bytes. */
_Static_assert(KEY_ED25519_LEN == 32 && REVOCATIONS_KEY_LEN == 32,
    "compare_32 compares 32 bytes");

static void
sort_32(struct buf *b)
{
	size_t kept = 0;

	if (b->len == 0)
		return;
	qsort(b->p, b->len / 32, 32, compare_32);
	for (size_t i = 32; i < b->len; i += 32) {
		if (memcmp(b->p + kept, b->p + i, 32) == 0)
			continue;
		kept += 32;
		memmove(b->p + kept, b->p + i, 32);
	}
	b->len = kept + 32;
}

static void
get_range(const uint8_t *p, uint64_t *ret_first, uint64_t *ret_last)
{
	struct wire w = wire_of(VIEW(p, RANGE_LEN));

	*ret_first = wire_u64(&w);
	*ret_last = wire_u64(&w);
}

/* Ranges that overlap or touch become one. */
static enum sbx_err
sort_ranges(struct buf *b)
{
	struct buf merged = BUF_INIT(b->cap);
	uint64_t first, last;

	if (b->len == 0)
		return SBX_OK;
	qsort(b->p, b->len / RANGE_LEN, RANGE_LEN, compare_ranges);
	get_range(b->p, &first, &last);
	for (size_t i = RANGE_LEN; i < b->len && first <= last;
	     i += RANGE_LEN) {
		uint64_t next_first, next_last;

		get_range(b->p + i, &next_first, &next_last);
		if (last == UINT64_MAX || next_first <= last + 1) {
			last = next_last > last ? next_last : last;
			continue;
		}
		buf_put_u64(&merged, first);
		buf_put_u64(&merged, last);
		first = next_first;
		last = next_last;
	}
	buf_put_u64(&merged, first);
	buf_put_u64(&merged, last);
	if (first > last)
		buf_fail(&merged, SBX_BAD_VALUE);
	buf_free(b);
	*b = merged;
	return buf_error(b);
}

enum sbx_err
revset_sort(struct revset *set)
{
	sort_32(&set->cas);
	sort_32(&set->keys);
	for (size_t i = 0; i < set->table_count; i++) {
		enum sbx_err err = sort_ranges(&set->table[i].serials);

		if (err != SBX_OK)
			return err;
	}
	qsort(set->table, set->table_count, sizeof(set->table[0]),
	    compare_tables);
	return SBX_OK;
}

size_t
revset_range_count(const struct revset_table *table)
{
	return table->serials.len / RANGE_LEN;
}

void
revset_range(const struct revset_table *table, size_t i, uint64_t *ret_first,
    uint64_t *ret_last)
{
	get_range(table->serials.p + i * RANGE_LEN, ret_first, ret_last);
}

enum sbx_err
revset_add_all(struct revset *set, const struct revset *more)
{
	buf_put_view(&set->cas, buf_view(&more->cas));
	buf_put_view(&set->keys, buf_view(&more->keys));
	for (size_t i = 0; i < more->table_count; i++) {
		struct revset_table *table =
		    revset_table(set, more->table[i].ca);

		if (table == NULL)
			return SBX_TOO_LARGE;
		buf_put_view(
		    &table->serials, buf_view(&more->table[i].serials));
		if (buf_error(&table->serials) != SBX_OK)
			return buf_error(&table->serials);
	}
	buf_fail(&set->cas, buf_error(&set->keys));
	return buf_error(&set->cas);
}

bool
revset_has_ca(
    const struct revset *set, const uint8_t ca[static KEY_ED25519_LEN])
{
	for (size_t i = 0; i < set->cas.len; i += KEY_ED25519_LEN) {
		if (memcmp(set->cas.p + i, ca, KEY_ED25519_LEN) == 0)
			return true;
	}
	return false;
}
