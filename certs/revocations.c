/* SPDX-License-Identifier: ISC */
#include "certs/revocations.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define SIGNATURE_LEN crypto_sign_ed25519_BYTES

/* Magic, version, length of the head, signer. */
#define PREFIX_LEN (sizeof(REVOCATIONS_MAGIC) + 4 + 4 + KEY_ED25519_LEN)

/* The part in front, by which the rest can be verified before it is read. */
static enum sbx_err
parse_prefix(struct view prefix, uint8_t *ret_signer, size_t *ret_len,
    struct sbx_why *why)
{
	struct wire w = wire_of(prefix);
	struct view magic = wire_bytes(&w, sizeof(REVOCATIONS_MAGIC));
	uint32_t version = wire_u32(&w), len = wire_u32(&w);
	struct view signer = wire_bytes(&w, KEY_ED25519_LEN);

	if (wire_end(&w) != SBX_OK)
		return sbx_fail(why, wire_end(&w), "it ends in its head");
	if (!view_eq(magic, VIEW(REVOCATIONS_MAGIC, sizeof(REVOCATIONS_MAGIC))))
		return sbx_fail(why, SBX_BAD_VALUE, "it is no revocation list");
	if (version != REVOCATIONS_VERSION)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "it has version %" PRIu32 ", known is %d", version,
		    REVOCATIONS_VERSION);
	if (len < PREFIX_LEN)
		return sbx_fail(
		    why, SBX_TRUNCATED, "its head is %" PRIu32 " bytes", len);
	if (len > REVOCATIONS_HEAD_MAX)
		return sbx_fail(
		    why, SBX_TOO_LARGE, "its head is %" PRIu32 " bytes", len);
	memcpy(ret_signer, signer.p, KEY_ED25519_LEN);
	*ret_len = len;
	return SBX_OK;
}

/* A public key that comes after *previous; the first has none before it. */
static void
take_ca(struct wire *w, const uint8_t *previous, uint8_t *ret)
{
	struct view key = wire_bytes(w, KEY_ED25519_LEN);

	if (key.len == 0)
		return;
	if (previous != NULL && memcmp(previous, key.p, key.len) >= 0)
		wire_fail(w, SBX_BAD_VALUE);
	memcpy(ret, key.p, key.len);
}

static size_t
take_count(struct wire *w)
{
	uint32_t count = wire_u32(w);

	if (count > REVOCATIONS_CAS_MAX)
		wire_fail(w, SBX_TOO_LARGE);
	return wire_error(w) == SBX_OK ? count : 0;
}

/* The tables stand one behind the other: *end is where this one starts. */
static void
take_spans(struct wire *w, struct spans *ret, uint64_t *end)
{
	struct view root;

	ret->count = wire_u64(w);
	if (ret->count > SPANS_MAX)
		wire_fail(w, SBX_TOO_LARGE);
	root = wire_bytes(w, sizeof(ret->root));
	if (wire_error(w) != SBX_OK)
		return;
	memcpy(ret->root, root.p, sizeof(ret->root));
	ret->offset = *end;
	*end += spans_size(ret);
}

/* An empty table has one root, too, so that a list has one form. */
static void
take_keys(struct wire *w, struct spans *ret, uint64_t *end)
{
	uint8_t empty[SPANS_HASH_LEN];

	*ret = (struct spans){ .key = REVOCATIONS_KEY_LEN };
	take_spans(w, ret, end);
	(void)crypto_generichash_blake2b(
	    empty, sizeof(empty), NULL, 0, NULL, 0);
	if (ret->count == 0 && memcmp(ret->root, empty, sizeof(empty)) != 0)
		wire_fail(w, SBX_BAD_VALUE);
}

static enum sbx_err
parse_body(struct view body, struct revocations *ret, struct sbx_why *why)
{
	struct wire w = wire_of(body);
	uint64_t end = ret->head_size;

	ret->issued_at = wire_u64(&w);
	ret->next_update = wire_u64(&w);
	if (ret->issued_at >= ret->next_update)
		wire_fail(&w, SBX_BAD_VALUE);
	ret->ca_count = take_count(&w);
	for (size_t i = 0; i < ret->ca_count; i++)
		take_ca(&w, i == 0 ? NULL : ret->ca[i - 1], ret->ca[i]);
	ret->table_count = take_count(&w);
	for (size_t i = 0; i < ret->table_count; i++) {
		struct revocations_table *table = &ret->table[i];

		*table = (struct revocations_table){
			.serials = { .key = REVOCATIONS_SERIAL_LEN,
			    .pairs = true }
		};
		take_ca(&w, i == 0 ? NULL : table[-1].ca, table->ca);
		take_spans(&w, &table->serials, &end);
		if (table->serials.count == 0)
			wire_fail(&w, SBX_BAD_VALUE);
	}
	take_keys(&w, &ret->keys, &end);
	ret->whole_size = end;
	if (wire_end(&w) == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, wire_end(&w), "malformed head: %s",
	    sbx_err_text(wire_end(&w)));
}

/* The tables' own length follows from the head. */
static enum sbx_err
check_size(uint64_t size, uint64_t want, struct sbx_why *why)
{
	if (size == want)
		return SBX_OK;
	return sbx_fail(why, size < want ? SBX_TRUNCATED : SBX_TRAILING,
	    "it has %" PRIu64 " bytes instead of %" PRIu64, size, want);
}

enum sbx_err
revocations_open(int fd, struct revocations *ret, struct sbx_why *why)
{
	uint8_t head[REVOCATIONS_HEAD_MAX + SIGNATURE_LEN];
	size_t len = sizeof(head), head_len = 0;
	struct stat st;
	enum sbx_err err;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
		return sbx_fail(why, SBX_IO, "it is no regular file");
	if ((uint64_t)st.st_size < len)
		len = (size_t)st.st_size;
	err = spans_pread(fd, 0, head, len);
	if (err != SBX_OK)
		return sbx_fail(why, err, "cannot read its head");
	*ret = (struct revocations){ .fd = fd };
	err = parse_prefix(VIEW(head, len < PREFIX_LEN ? len : PREFIX_LEN),
	    ret->signer, &head_len, why);
	if (err != SBX_OK)
		return err;
	if (len < head_len + SIGNATURE_LEN)
		return sbx_fail(why, SBX_TRUNCATED, "it ends in its head");
	if (crypto_sign_ed25519_verify_detached(
		head + head_len, head, head_len, ret->signer) != 0)
		return sbx_fail(
		    why, SBX_CERT_SIGNATURE, "its signature is wrong");
	ret->head_size = head_len + SIGNATURE_LEN;
	err = parse_body(
	    VIEW(head + PREFIX_LEN, head_len - PREFIX_LEN), ret, why);
	if (err != SBX_OK)
		return err;
	return check_size((uint64_t)st.st_size, ret->whole_size, why);
}

static bool
is_revoked_ca(
    const struct revocations *list, const uint8_t ca[static KEY_ED25519_LEN])
{
	for (size_t i = 0; i < list->ca_count; i++) {
		if (memcmp(list->ca[i], ca, KEY_ED25519_LEN) == 0)
			return true;
	}
	return false;
}

static bool
is_trusted(
    const struct ca_set *trusted, const uint8_t ca[static KEY_ED25519_LEN])
{
	for (size_t i = 0; i < trusted->count; i++) {
		if (memcmp(trusted->key[i], ca, KEY_ED25519_LEN) == 0)
			return true;
	}
	return false;
}

enum sbx_err
revocations_judge(const struct revocations *list,
    const struct revocations_policy *policy, struct sbx_why *why)
{
	uint64_t now = policy->now;

	if (!is_trusted(policy->trusted, list->signer))
		return sbx_fail(why, SBX_REVOKED_SIGNER,
		    "its signer is none of the trusted CAs");
	if (is_revoked_ca(list, list->signer))
		return sbx_fail(why, SBX_REVOKED_SIGNER,
		    "it revokes the CA that signed it");
	/* No sums: they may wrap. */
	if (list->issued_at > now && list->issued_at - now > policy->clock_skew)
		return sbx_fail(why, SBX_REVOKED_STALE,
		    "it was issued in the future, at %" PRIu64
		    ": look at the clock",
		    list->issued_at);
	if (now >= list->next_update)
		return sbx_fail(why, SBX_REVOKED_STALE,
		    "its next update was due at %" PRIu64, list->next_update);
	if (policy->max_age != 0 && now > list->issued_at &&
	    now - list->issued_at > policy->max_age)
		return sbx_fail(why, SBX_REVOKED_STALE,
		    "it was issued %" PRIu64 " seconds ago, allowed are "
		    "%" PRIu64,
		    now - list->issued_at, policy->max_age);
	return SBX_OK;
}

static const struct spans *
serials_of(
    const struct revocations *list, const uint8_t ca[static KEY_ED25519_LEN])
{
	for (size_t i = 0; i < list->table_count; i++) {
		if (memcmp(list->table[i].ca, ca, KEY_ED25519_LEN) == 0)
			return &list->table[i].serials;
	}
	return NULL;
}

static enum sbx_err
check_serial(const struct revocations *list, const uint8_t *ca, uint64_t serial,
    bool *ret_found)
{
	const struct spans *serials = serials_of(list, ca);
	uint8_t number[REVOCATIONS_SERIAL_LEN];

	*ret_found = false;
	if (serials == NULL)
		return SBX_OK;
	for (size_t i = 0; i < sizeof(number); i++)
		number[i] = (uint8_t)(serial >> 8 * (sizeof(number) - 1 - i));
	return spans_find(serials, list->fd, number, ret_found);
}

static enum sbx_err
check_key(const struct revocations *list, struct view key, bool *ret_found)
{
	uint8_t hash[REVOCATIONS_KEY_LEN];

	(void)crypto_hash_sha256(hash, key.p, key.len);
	return spans_find(&list->keys, list->fd, hash, ret_found);
}

enum sbx_err
revocations_check(const struct revocations *list,
    const uint8_t ca[static KEY_ED25519_LEN], uint64_t serial,
    struct view user_key, struct sbx_why *why)
{
	const char *what = NULL;
	bool found = is_revoked_ca(list, ca);
	enum sbx_err err = SBX_OK;

	if (found)
		what = "the CA";
	if (what == NULL) {
		err = check_serial(list, ca, serial, &found);
		if (err == SBX_OK && found)
			what = "the serial";
	}
	if (what == NULL && err == SBX_OK) {
		err = check_key(list, user_key, &found);
		if (err == SBX_OK && found)
			what = "the user's key";
	}
	if (err != SBX_OK)
		return sbx_fail(why, err, "one of its tables: %s",
		    err == SBX_BAD_VALUE
			? "the content does not fit its hash or is unsorted"
			: sbx_err_text(err));
	if (what != NULL)
		return sbx_fail(why, SBX_REVOKED, "%s is revoked", what);
	return SBX_OK;
}
