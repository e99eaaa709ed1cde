/* SPDX-License-Identifier: ISC */
#include "certs/revtext.h"

#include <inttypes.h>
#include <string.h>

#include "common/text.h"

#define FINGERPRINT "SHA256:"
#define SERIAL_DIGITS 16

static int
digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum sbx_err
parse_serial(struct view text, uint64_t *ret)
{
	bool marked = text.len > 2 && text.p[0] == '0' && text.p[1] == 'x';
	uint64_t value = 0;

	if (marked)
		text = VIEW(text.p + 2, text.len - 2);
	if (text.len > SERIAL_DIGITS || (!marked && text.len < SERIAL_DIGITS))
		return SBX_BAD_VALUE;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.p[i]);

		if (digit < 0)
			return SBX_BAD_VALUE;
		value = value << 4 | (uint64_t)digit;
	}
	*ret = value;
	return SBX_OK;
}

enum sbx_err
revtext_serials(struct view text, uint64_t *ret_first, uint64_t *ret_last)
{
	const uint8_t *dash =
	    text.len == 0 ? NULL : memchr(text.p, '-', text.len);
	struct view first = text, last = text;
	uint64_t from, to;
	enum sbx_err err;

	if (dash != NULL) {
		first.len = (size_t)(dash - text.p);
		last = VIEW(dash + 1, text.len - first.len - 1);
	}
	err = parse_serial(first, &from);
	if (err == SBX_OK)
		err = parse_serial(last, &to);
	if (err == SBX_OK && from > to)
		err = SBX_BAD_VALUE;
	if (err != SBX_OK)
		return err;
	*ret_first = from;
	*ret_last = to;
	return SBX_OK;
}

struct reading {
	struct revset *set;
	uint8_t issuer[KEY_ED25519_LEN];
};

/* The one word that rest is. */
static enum sbx_err
only_word(struct view rest, struct view *ret)
{
	struct view more;

	if (!text_next_word(&rest, ret) || text_next_word(&rest, &more))
		return SBX_BAD_VALUE;
	return SBX_OK;
}

static enum sbx_err
take_serial(struct reading *r, struct view rest)
{
	uint64_t first, last;
	struct view word;
	enum sbx_err err = only_word(rest, &word);

	if (err == SBX_OK)
		err = revtext_serials(word, &first, &last);
	return err != SBX_OK
	    ? err
	    : revset_add_serials(r->set, r->issuer, first, last);
}

static enum sbx_err
take_ca_line(struct view rest, uint8_t ret[static KEY_ED25519_LEN])
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	struct public_key key;
	enum sbx_err err = key_parse_line(rest, &blob, &key);

	return err != SBX_OK ? err : key_ed25519(&key, ret);
}

static enum sbx_err
take_ca(struct reading *r, struct view rest)
{
	uint8_t ca[KEY_ED25519_LEN];
	enum sbx_err err = take_ca_line(rest, ca);

	return err != SBX_OK ? err : revset_add_ca(r->set, ca);
}

static enum sbx_err
take_issuer(struct reading *r, struct view rest)
{
	return take_ca_line(rest, r->issuer);
}

/* As OpenSSH writes it: base64 without its padding. */
static enum sbx_err
take_fingerprint(struct reading *r, struct view rest)
{
	cleanup_buf struct buf padded = BUF_INIT(KEY_FINGERPRINT_LEN);
	cleanup_buf struct buf hash = BUF_INIT(REVOCATIONS_KEY_LEN + 1);
	struct view word;
	enum sbx_err err = only_word(rest, &word);

	if (err != SBX_OK || word.len != KEY_FINGERPRINT_LEN - 1)
		return SBX_BAD_VALUE;
	buf_put(&padded, word.p + strlen(FINGERPRINT),
	    word.len - strlen(FINGERPRINT));
	buf_put_text(&padded, "=");
	err = text_base64_decode(buf_view(&padded), &hash);
	if (err == SBX_OK && hash.len != REVOCATIONS_KEY_LEN)
		err = SBX_BAD_VALUE;
	return err != SBX_OK ? err : revset_add_key(r->set, hash.p);
}

static enum sbx_err
take_key(struct reading *r, struct view rest)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	uint8_t hash[REVOCATIONS_KEY_LEN];
	struct view words = rest, word;
	struct public_key key;
	enum sbx_err err;

	if (text_next_word(&words, &word) && word.len > strlen(FINGERPRINT) &&
	    memcmp(word.p, FINGERPRINT, strlen(FINGERPRINT)) == 0)
		return take_fingerprint(r, rest);
	err = key_parse_line(rest, &blob, &key);
	if (err != SBX_OK)
		return err;
	(void)crypto_hash_sha256(hash, key.blob.p, key.blob.len);
	return revset_add_key(r->set, hash);
}

static const struct {
	const char *word;
	enum sbx_err (*take)(struct reading *r, struct view rest);
	const char *form;
} forms[] = {
	{ "serial", take_serial,
	    "a serial is 0x1f, or 16 hexadecimal digits, or two of them with "
	    "a dash, the lower first" },
	{ "key", take_key, "a key is SHA256:BASE64 or TYPE BASE64" },
	{ "ca", take_ca, "a CA is ssh-ed25519 BASE64" },
	{ "issuer", take_issuer, "a CA is ssh-ed25519 BASE64" },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static enum sbx_err
take_line(struct reading *r, struct view word, struct view rest,
    const char **ret_form)
{
	for (size_t i = 0; i < FORMS; i++) {
		if (!view_eq_str(word, forms[i].word))
			continue;
		*ret_form = forms[i].form;
		return forms[i].take(r, rest);
	}
	*ret_form = "a line is serial, key, ca or issuer";
	return SBX_BAD_VALUE;
}

enum sbx_err
revtext_parse(const char *name, struct view text,
    const uint8_t issuer[static KEY_ED25519_LEN], struct revset *set,
    struct sbx_why *why)
{
	struct reading r = { .set = set };
	struct view line, word;

	memcpy(r.issuer, issuer, sizeof(r.issuer));
	for (size_t number = 1; text_next_line(&text, &line); number++) {
		const char *form;
		enum sbx_err err;

		if (!text_next_word(&line, &word) || word.p[0] == '#')
			continue;
		err = take_line(&r, word, line, &form);
		if (err != SBX_OK)
			return sbx_fail(why, err, "%s:%zu: %s: %s", name,
			    number, sbx_err_text(err), form);
	}
	return SBX_OK;
}

static void
put_ca(const uint8_t ca[static KEY_ED25519_LEN], struct buf *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);

	key_put_ed25519(ca, &blob);
	key_put_line(buf_view(&blob), NULL, ret);
}

static void
put_fingerprint(const uint8_t *hash, struct buf *ret)
{
	cleanup_buf struct buf base64 = BUF_INIT(KEY_FINGERPRINT_LEN);

	text_base64_encode(VIEW(hash, REVOCATIONS_KEY_LEN), &base64);
	buf_fail(ret, buf_error(&base64));
	buf_put_text(ret, FINGERPRINT);
	buf_put(ret, base64.p, KEY_FINGERPRINT_LEN - sizeof(FINGERPRINT));
}

static void
put_serials(const struct revset_table *table, struct buf *ret)
{
	for (size_t i = 0; i < revset_range_count(table); i++) {
		uint64_t first, last;

		revset_range(table, i, &first, &last);
		buf_printf(ret, "serial 0x%" PRIx64, first);
		if (first != last)
			buf_printf(ret, "-0x%" PRIx64, last);
		buf_put_text(ret, "\n");
	}
}

void
revtext_put(const struct revset *set, struct buf *ret)
{
	for (size_t i = 0; i < set->cas.len; i += KEY_ED25519_LEN) {
		buf_put_text(ret, "ca ");
		put_ca(set->cas.p + i, ret);
		buf_put_text(ret, "\n");
	}
	for (size_t i = 0; i < set->keys.len; i += REVOCATIONS_KEY_LEN) {
		buf_put_text(ret, "key ");
		put_fingerprint(set->keys.p + i, ret);
		buf_put_text(ret, "\n");
	}
	for (size_t i = 0; i < set->table_count; i++) {
		buf_put_text(ret, "issuer ");
		put_ca(set->table[i].ca, ret);
		buf_put_text(ret, "\n");
		put_serials(&set->table[i], ret);
	}
}

static void
put_serials_json(const struct revset_table *table, struct buf *ret)
{
	buf_put_text(ret, "{\"issuer\":\"");
	put_ca(table->ca, ret);
	buf_put_text(ret, "\",\"ranges\":[");
	for (size_t i = 0; i < revset_range_count(table); i++) {
		uint64_t first, last;

		revset_range(table, i, &first, &last);
		buf_printf(ret, "%s[\"%016" PRIx64 "\",\"%016" PRIx64 "\"]",
		    i == 0 ? "" : ",", first, last);
	}
	buf_put_text(ret, "]}");
}

/* Nothing in it needs to be escaped: all of it is base64 or digits. */
void
revtext_put_json(const struct revset *set, struct buf *ret)
{
	buf_put_text(ret, "\"cas\":[");
	for (size_t i = 0; i < set->cas.len; i += KEY_ED25519_LEN) {
		buf_put_text(ret, i == 0 ? "\"" : ",\"");
		put_ca(set->cas.p + i, ret);
		buf_put_text(ret, "\"");
	}
	buf_put_text(ret, "],\"keys\":[");
	for (size_t i = 0; i < set->keys.len; i += REVOCATIONS_KEY_LEN) {
		buf_put_text(ret, i == 0 ? "\"" : ",\"");
		put_fingerprint(set->keys.p + i, ret);
		buf_put_text(ret, "\"");
	}
	buf_put_text(ret, "],\"serials\":[");
	for (size_t i = 0; i < set->table_count; i++) {
		buf_put_text(ret, i == 0 ? "" : ",");
		put_serials_json(&set->table[i], ret);
	}
	buf_put_text(ret, "]");
}
