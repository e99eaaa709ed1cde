/* SPDX-License-Identifier: ISC */
/*
 * Certificates written byte by byte, good ones and hostile ones.  It shares
 * no code with certs/build.c, so that a mistake there cannot hide one in the
 * parser.
 */
#ifndef SBX_TESTS_CRAFT_H
#define SBX_TESTS_CRAFT_H

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

/* A row of a table overrides what CRAFT() gives first. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define CRAFT_NOW 1800000000
#define CRAFT_LIST 5 /* principals, options */

#define V(literal)                                              \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

enum craft_shape {
	CRAFT_FLAG = 1, /* empty data */
	CRAFT_VALUE,	/* the data is a string with the value */
	CRAFT_RAW,	/* the data is the value itself */
};

struct craft_option {
	enum craft_shape shape; /* 0 ends the list */
	struct view name;
	struct view value;
	struct view tail; /* inside the data, after the value */
};

enum craft_signature {
	CRAFT_SIGNED,
	CRAFT_PLUS_L, /* S + L instead of S */
	CRAFT_SHORT,  /* 63 bytes */
	CRAFT_LONG,   /* 65 bytes */
	CRAFT_ZERO,   /* 64 zero bytes */
	CRAFT_BY_OTHER,
};

struct craft {
	struct view type_name;
	struct view nonce;
	struct view key; /* one string; p NULL: key_fields stand instead */
	struct view key_fields;
	uint64_t serial;
	uint32_t type;
	struct view key_id;
	struct view principals[CRAFT_LIST]; /* p NULL ends */
	size_t repeat;			    /* principals[0] that often */
	struct view principals_tail;
	uint64_t after, before;
	struct craft_option critical[CRAFT_LIST];
	struct view critical_tail;
	struct craft_option extensions[CRAFT_LIST];
	struct view extensions_tail;
	struct view reserved;
	struct view ca; /* p NULL: the plain key of craft_ca */
	struct view ca_tail;
	struct view signature_type;
	enum craft_signature signature;
	struct view signature_tail;
	struct view tail;
};

/* RFC 8032, section 7.1, test 1: a public key that is surely one. */
#define CRAFT_POINT                                                          \
	V("\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a" \
	  "\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a")

#define CRAFT(...)                                                        \
	{                                                                 \
		.type_name = V("ssh-ed25519-cert-v01@openssh.com"),       \
		.nonce = V("0123456789abcdef0123456789abcdef"),           \
		.key = CRAFT_POINT, .serial = 42, .type = 1,              \
		.key_id = V("me/run-1/2a"), .principals = { V("run-1") }, \
		.after = CRAFT_NOW - 60, .before = CRAFT_NOW + 3600,      \
		.extensions = { { CRAFT_FLAG, V("permit-pty"), V(""),     \
		    V("") } },                                            \
		.signature_type = V("ssh-ed25519"), __VA_ARGS__           \
	}

struct crafted {
	uint8_t *p;
	size_t len, size;
};

static inline struct view
crafted_view(const struct crafted *c)
{
	return (struct view){ c->p, c->len };
}

static inline void
crafted_free(struct crafted *c)
{
	free(c->p);
	*c = (struct crafted){ 0 };
}

static inline void
craft_bytes(struct crafted *c, struct view v)
{
	if (c->len + v.len > c->size) {
		c->size = 2 * (c->len + v.len) + 64;
		c->p = realloc(c->p, c->size);
		if (c->p == NULL)
			abort();
	}
	if (v.len > 0)
		memcpy(c->p + c->len, v.p, v.len);
	c->len += v.len;
}

static inline void
craft_number(struct crafted *c, uint64_t value, int bytes)
{
	while (bytes-- > 0) {
		uint8_t byte = (uint8_t)(value >> 8 * bytes);

		craft_bytes(c, (struct view){ &byte, 1 });
	}
}

static inline void
craft_string(struct crafted *c, struct view v)
{
	craft_number(c, v.len, 4);
	craft_bytes(c, v);
}

/* Put inner as a string and free it. */
static inline void
craft_nest(struct crafted *c, struct crafted *inner)
{
	craft_string(c, crafted_view(inner));
	crafted_free(inner);
}

static inline void
craft_options(
    struct crafted *c, const struct craft_option *options, struct view tail)
{
	struct crafted block = { 0 };

	for (size_t i = 0; i < CRAFT_LIST && options[i].shape != 0; i++) {
		struct crafted data = { 0 };

		craft_string(&block, options[i].name);
		if (options[i].shape == CRAFT_VALUE)
			craft_string(&data, options[i].value);
		if (options[i].shape == CRAFT_RAW)
			craft_bytes(&data, options[i].value);
		craft_bytes(&data, options[i].tail);
		craft_nest(&block, &data);
	}
	craft_bytes(&block, tail);
	craft_nest(c, &block);
}

static inline void
craft_principals(struct crafted *c, const struct craft *spec)
{
	struct crafted block = { 0 };

	for (size_t i = 0; i < spec->repeat; i++)
		craft_string(&block, spec->principals[0]);
	for (size_t i = 0; spec->repeat == 0 && i < CRAFT_LIST; i++) {
		if (spec->principals[i].p != NULL)
			craft_string(&block, spec->principals[i]);
	}
	craft_bytes(&block, spec->principals_tail);
	craft_nest(c, &block);
}

/* The CA of all crafted certificates, and one that nobody trusts. */
static inline void
craft_ca(uint8_t id, uint8_t public[32], uint8_t secret[64])
{
	uint8_t seed[32];

	memset(seed, id, sizeof(seed));
	(void)crypto_sign_ed25519_seed_keypair(public, secret, seed);
}

static inline void
craft_add_order(uint8_t s[32])
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63,
		0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
		0x14, [31] = 0x10 };
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += s[i] + (unsigned)order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static inline void
craft_sign(struct crafted *c, const struct craft *spec)
{
	uint8_t public[32], secret[64], raw[65] = { 0 };
	struct crafted outer = { 0 };
	size_t len = 64;

	craft_ca(spec->signature == CRAFT_BY_OTHER ? 2 : 1, public, secret);
	if (spec->signature != CRAFT_ZERO)
		(void)crypto_sign_ed25519_detached(
		    raw, NULL, c->p, c->len, secret);
	if (spec->signature == CRAFT_PLUS_L)
		craft_add_order(raw + 32);
	if (spec->signature == CRAFT_SHORT)
		len = 63;
	if (spec->signature == CRAFT_LONG)
		len = 65;
	craft_string(&outer, spec->signature_type);
	craft_string(&outer, (struct view){ raw, len });
	craft_bytes(&outer, spec->signature_tail);
	craft_nest(c, &outer);
}

static inline struct crafted
craft(const struct craft *spec)
{
	struct crafted c = { 0 }, ca = { 0 };
	uint8_t public[32], secret[64];

	craft_ca(1, public, secret);
	craft_string(&c, spec->type_name);
	craft_string(&c, spec->nonce);
	if (spec->key.p != NULL)
		craft_string(&c, spec->key);
	craft_bytes(&c, spec->key_fields);
	craft_number(&c, spec->serial, 8);
	craft_number(&c, spec->type, 4);
	craft_string(&c, spec->key_id);
	craft_principals(&c, spec);
	craft_number(&c, spec->after, 8);
	craft_number(&c, spec->before, 8);
	craft_options(&c, spec->critical, spec->critical_tail);
	craft_options(&c, spec->extensions, spec->extensions_tail);
	craft_string(&c, spec->reserved);
	if (spec->ca.p == NULL) {
		craft_string(&ca, (struct view)V("ssh-ed25519"));
		craft_string(&ca, (struct view){ public, 32 });
	} else {
		craft_bytes(&ca, spec->ca);
	}
	craft_bytes(&ca, spec->ca_tail);
	craft_nest(&c, &ca);
	craft_sign(&c, spec);
	craft_bytes(&c, spec->tail);
	return c;
}

#endif
