/* SPDX-License-Identifier: ISC */
/*
 * Revocation lists written byte by byte after doc/revocations.md, good ones
 * and hostile ones.  It shares no code with certs/spans.c and
 * certs/revlist.c, so that a mistake there cannot hide one in the reader.
 */
#ifndef SBX_TESTS_CRAFT_LIST_H
#define SBX_TESTS_CRAFT_LIST_H

#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/craft.h"

#define LIST_RANGES 6
#define LIST_TABLES 3

struct list_range {
	uint64_t first, last;
};

struct list_table {
	uint8_t ca; /* of craft_ca; 0 ends the tables */
	size_t ranges;
	struct list_range range[LIST_RANGES];
	uint64_t count; /* what the head says, if not ranges */
	bool other_root;
};

enum list_signature {
	LIST_SIGNED,
	LIST_BY_OTHER,
	LIST_FLIPPED,
	LIST_OF_NOTHING, /* 64 zero bytes */
};

struct list_spec {
	struct view magic;
	uint32_t version;
	uint32_t length; /* what the head says; 0: its own */
	uint8_t signer;	 /* of craft_ca */
	uint64_t issued, next;
	uint8_t cas[LIST_RANGES]; /* every byte of a key; 0 ends */
	bool revokes_signer;	  /* only that one */
	uint32_t ca_count;	  /* what the head says, if not 0 */
	struct list_table tables[LIST_TABLES];
	uint32_t table_count;	   /* what the head says, if not 0 */
	uint8_t keys[LIST_RANGES]; /* every byte of a hash; 0 ends */
	struct view key;	   /* p not NULL: only this key */
	uint64_t key_count;	   /* what the head says, if not 0 */
	bool keys_other_root;
	struct view head_tail;
	enum list_signature signature;
	struct view tail;
};

#define LIST_SPEC(...)                                                      \
	{                                                                   \
		.magic = V("sandbox-revoked\0"), .version = 1, .signer = 1, \
		.issued = CRAFT_NOW - 600, .next = CRAFT_NOW + 3000,        \
		.cas = { 0x20, 0x30 },                                      \
		.tables = { { 1, 4,                                         \
		    { { 0, 0 }, { 10, 20 }, { 30, 30 },                     \
			{ UINT64_MAX - 1, UINT64_MAX } },                   \
		    0, false } },                                           \
		.keys = { 0x11, 0x22 }, __VA_ARGS__                         \
	}

/* Rows, then level upon level of first key and hash; root is the last. */
static inline void
list_spans(struct crafted *tables, struct crafted rows, size_t width,
    size_t key, uint8_t root[32])
{
	for (;;) {
		struct crafted above = { 0 };

		craft_bytes(tables, crafted_view(&rows));
		for (size_t at = 0; at < rows.len; at += 128 * width) {
			size_t n = rows.len - at < 128 * width ? rows.len - at
							       : 128 * width;
			uint8_t hash[32];

			(void)crypto_generichash(
			    hash, 32, rows.p + at, n, NULL, 0);
			craft_bytes(&above, (struct view){ rows.p + at, key });
			craft_bytes(&above, (struct view){ hash, 32 });
		}
		if (rows.len <= 128 * width) {
			(void)crypto_generichash(
			    root, 32, rows.p, rows.len, NULL, 0);
			crafted_free(&above);
			crafted_free(&rows);
			return;
		}
		crafted_free(&rows);
		rows = above;
		width = key + 32;
	}
}

/* Each of these bytes 32 times. */
static inline size_t
list_fill(struct crafted *c, const uint8_t bytes[LIST_RANGES])
{
	size_t n = 0;

	for (; n < LIST_RANGES && bytes[n] != 0; n++) {
		uint8_t whole[32];

		memset(whole, bytes[n], sizeof(whole));
		craft_bytes(c, (struct view){ whole, sizeof(whole) });
	}
	return n;
}

static inline void
list_table(const struct list_table *table, struct crafted *body,
    struct crafted *tables)
{
	uint8_t public[32], secret[64], root[32];
	struct crafted rows = { 0 };

	for (size_t i = 0; i < table->ranges; i++) {
		craft_number(&rows, table->range[i].first, 8);
		craft_number(&rows, table->range[i].last, 8);
	}
	list_spans(tables, rows, 16, 8, root);
	root[7] ^= table->other_root;
	craft_ca(table->ca, public, secret);
	craft_bytes(body, (struct view){ public, 32 });
	craft_number(body, table->count != 0 ? table->count : table->ranges, 8);
	craft_bytes(body, (struct view){ root, 32 });
}

static inline size_t
list_cas(const struct list_spec *spec, struct crafted *c)
{
	uint8_t public[32], secret[64];

	if (!spec->revokes_signer)
		return list_fill(c, spec->cas);
	craft_ca(spec->signer, public, secret);
	craft_bytes(c, (struct view){ public, 32 });
	return 1;
}

static inline size_t
list_keys(const struct list_spec *spec, struct crafted *c)
{
	uint8_t hash[32];

	if (spec->key.p == NULL)
		return list_fill(c, spec->keys);
	(void)crypto_hash_sha256(hash, spec->key.p, spec->key.len);
	craft_bytes(c, (struct view){ hash, 32 });
	return 1;
}

static inline struct crafted
list_body(const struct list_spec *spec, struct crafted *tables)
{
	struct crafted c = { 0 }, all = { 0 }, keys = { 0 };
	uint8_t root[32];
	uint32_t count;

	craft_number(&c, spec->issued, 8);
	craft_number(&c, spec->next, 8);
	count = (uint32_t)list_cas(spec, &all);
	craft_number(&c, spec->ca_count != 0 ? spec->ca_count : count, 4);
	craft_bytes(&c, crafted_view(&all));
	crafted_free(&all);
	for (count = 0; count < LIST_TABLES && spec->tables[count].ca != 0;)
		list_table(&spec->tables[count++], &all, tables);
	craft_number(&c, spec->table_count != 0 ? spec->table_count : count, 4);
	craft_bytes(&c, crafted_view(&all));
	crafted_free(&all);
	count = (uint32_t)list_keys(spec, &keys);
	list_spans(tables, keys, 32, 32, root);
	root[7] ^= spec->keys_other_root;
	craft_number(&c, spec->key_count != 0 ? spec->key_count : count, 8);
	craft_bytes(&c, (struct view){ root, 32 });
	craft_bytes(&c, spec->head_tail);
	return c;
}

static inline struct crafted
list_craft(const struct list_spec *spec)
{
	struct crafted c = { 0 }, tables = { 0 };
	struct crafted body = list_body(spec, &tables);
	uint8_t public[32], secret[64], other[32], raw[64] = { 0 };
	size_t length = spec->magic.len + 4 + 4 + 32 + body.len;

	craft_ca(spec->signer, public, secret);
	craft_bytes(&c, spec->magic);
	craft_number(&c, spec->version, 4);
	craft_number(&c, spec->length != 0 ? spec->length : length, 4);
	craft_bytes(&c, (struct view){ public, 32 });
	craft_bytes(&c, crafted_view(&body));
	if (spec->signature == LIST_BY_OTHER)
		craft_ca(99, other, secret);
	if (spec->signature != LIST_OF_NOTHING)
		(void)crypto_sign_detached(raw, NULL, c.p, c.len, secret);
	if (spec->signature == LIST_FLIPPED)
		raw[20] ^= 1;
	craft_bytes(&c, (struct view){ raw, 64 });
	craft_bytes(&c, crafted_view(&tables));
	craft_bytes(&c, spec->tail);
	crafted_free(&body);
	crafted_free(&tables);
	return c;
}

/* A file with these bytes and without a name. */
static inline int
list_file(struct view bytes)
{
	int fd = memfd_create("list", MFD_CLOEXEC);

	if (fd < 0 || file_write_fd(fd, bytes) != SBX_OK)
		abort();
	return fd;
}

#endif
