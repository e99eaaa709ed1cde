/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/cert.h"
#include "tests/unit/craft.h"
#include "tests/unit/scratch.h"

struct row {
	const char *name;
	enum sbx_err want; /* of cert_parse, then of cert_verify */
	struct craft craft;
};

#define ROW(name, want, ...)                   \
	{                                      \
		name, want, CRAFT(__VA_ARGS__) \
	}

#define POINT_32 "0123456789abcdef0123456789abcdef"
#define BYTES_64 POINT_32 POINT_32
#define SMALL_ORDER \
	"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define NOT_REDUCED                                                        \
	"\xee\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"

static const struct row rows[] = {
	ROW("a good one", SBX_OK),
	/* policy judges these, not the parser */
	ROW("a host's", SBX_OK, .type = 2),
	ROW("no principal", SBX_OK, .principals = { { NULL, 0 } }),
	ROW("256 principals", SBX_OK, .principals = { V("p") }, .repeat = 256),
	ROW("empty nonce", SBX_OK, .nonce = V("")),
	ROW("reserved field used", SBX_OK, .reserved = V("x")),

	ROW("threat 11: 257 principals", SBX_TOO_LARGE,
	    .principals = { V("p") }, .repeat = 257),
	ROW("nonce too long", SBX_TOO_LARGE, .nonce = V(BYTES_64 "x")),
	ROW("a plain key's type", SBX_CERT_TYPE, .type_name = V("ssh-ed25519")),
	ROW("unknown type", SBX_KEY_TYPE,
	    .type_name = V("ssh-dss-cert-v01@openssh.com")),
	ROW("type of another key", SBX_KEY_MALFORMED,
	    .type_name = V("ecdsa-sha2-nistp256-cert-v01@openssh.com")),
	ROW("key with 31 bytes", SBX_KEY_MALFORMED,
	    .key = V("0123456789abcdef0123456789abcde")),
	ROW("key with 33 bytes", SBX_KEY_MALFORMED,
	    .key = V("0123456789abcdef0123456789abcdef0")),
	ROW("threat 16: key of small order", SBX_KEY_MALFORMED,
	    .key = V(SMALL_ORDER)),
	ROW("key not reduced", SBX_KEY_MALFORMED, .key = V(NOT_REDUCED)),

	ROW("threat 10: tail of the blob", SBX_TRAILING, .tail = V("x")),
	ROW("threat 10: tail of the signature", SBX_TRAILING,
	    .signature_tail = V("x")),
	ROW("threat 10: tail of the principals", SBX_TRUNCATED,
	    .principals_tail = V("x")),
	ROW("threat 10: tail of the critical options", SBX_TRUNCATED,
	    .critical_tail = V("x")),
	ROW("threat 10: critical option without data", SBX_TRUNCATED,
	    .critical_tail = V("\0\0\0\1x")),
	ROW("threat 10: tail of the extensions", SBX_TRUNCATED,
	    .extensions_tail = V("x")),
	ROW("threat 11: length of a principal wraps", SBX_TRUNCATED,
	    .principals_tail = V("\377\377\377\377")),
	ROW("threat 11: length of an option wraps", SBX_TRUNCATED,
	    .critical_tail = V("\0\0\0\1x\377\377\377\377")),

	ROW("threat 10: tail of the CA key", SBX_CA_TYPE, .ca_tail = V("x")),
	ROW("empty CA key", SBX_CA_TYPE, .ca = V("")),
	ROW("threat 8: CA is a certificate", SBX_CA_TYPE,
	    .ca =
		V("\0\0\0\40ssh-ed25519-cert-v01@openssh.com\0\0\0\40" POINT_32
		  "\0\0\0\40" POINT_32)),
	ROW("threat 8: CA is a security key", SBX_CA_TYPE,
	    .ca = V("\0\0\0\32sk-ssh-ed25519@openssh.com\0\0\0\40" POINT_32
		    "\0\0\0\4ssh:")),
	ROW("threat 8: CA is an ECDSA key", SBX_CA_TYPE,
	    .ca = V("\0\0\0\23ecdsa-sha2-nistp256\0\0\0\10nistp256\0\0\0\101"
		    "\4" BYTES_64)),
	ROW("threat 8: CA is an RSA key", SBX_CA_TYPE,
	    .ca = V("\0\0\0\7ssh-rsa\0\0\0\3\1\0\1\0\0\0\100" BYTES_64)),
	ROW("threat 8: another CA", SBX_CA_UNKNOWN,
	    .ca = V("\0\0\0\13ssh-ed25519\0\0\0\40" POINT_32)),
	ROW("threat 16: signed by another CA", SBX_CERT_SIGNATURE,
	    .signature = CRAFT_BY_OTHER),
	ROW("threat 16: signature S + L", SBX_CERT_SIGNATURE,
	    .signature = CRAFT_PLUS_L),
	ROW("threat 16: signature of 63 bytes", SBX_CERT_SIGNATURE,
	    .signature = CRAFT_SHORT),
	ROW("threat 16: signature of 65 bytes", SBX_CERT_SIGNATURE,
	    .signature = CRAFT_LONG),
	ROW("threat 16: signature of zeros", SBX_CERT_SIGNATURE,
	    .signature = CRAFT_ZERO),
	ROW("threat 16: signature by another algorithm", SBX_CERT_SIGNATURE,
	    .signature_type = V("ssh-ed448")),
	ROW("threat 16: signature without algorithm", SBX_CERT_SIGNATURE,
	    .signature_type = V("")),
	ROW("threat 16: signature of a security key", SBX_CERT_SIGNATURE,
	    .signature_type = V("sk-ssh-ed25519@openssh.com"),
	    .signature_tail = V("\1\0\0\0\7")),
	ROW("signature of a security key cut short", SBX_TRUNCATED,
	    .signature_type = V("sk-ssh-ed25519@openssh.com"),
	    .signature_tail = V("\1\0\0\0")),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static enum sbx_err
judge(struct view blob)
{
	uint8_t public[32], secret[64];
	struct cert cert;
	enum sbx_err err = cert_parse(blob, &cert);

	craft_ca(1, public, secret);
	return err != SBX_OK ? err : cert_verify(&cert, public);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct crafted c = craft(&row->craft);

	assert_string_equal(
	    sbx_err_name(judge(crafted_view(&c))), sbx_err_name(row->want));
	crafted_free(&c);
}

/* One with something in every field, the larger the better. */
static const struct craft full = CRAFT(.principals = { V("run-1"), V("b") },
    .critical = { { CRAFT_VALUE, V("force-command"), V("id"), V("") },
	{ CRAFT_VALUE, V("source-address"), V("10.0.0.0/8"), V("") } });

static void
test_every_field(void **state)
{
	struct crafted c = craft(&full);
	struct cert_option option;
	struct view cursor, name;
	struct cert cert;

	(void)state;
	assert_int_equal(cert_parse(crafted_view(&c), &cert), SBX_OK);
	assert_string_equal(cert.kind->name, "ssh-ed25519");
	assert_true(view_eq(cert.nonce, full.nonce));
	assert_int_equal(cert.key_fields.len, 4 + 32);
	assert_int_equal(cert.serial, 42);
	assert_int_equal(cert.type, CERT_TYPE_USER);
	assert_true(view_eq_str(cert.key_id, "me/run-1/2a"));
	assert_int_equal(cert.principal_count, 2);
	assert_int_equal(cert.valid_after, CRAFT_NOW - 60);
	assert_int_equal(cert.valid_before, CRAFT_NOW + 3600);
	assert_int_equal(cert.signature.len, CERT_SIGNATURE_LEN);

	cursor = cert.principals;
	assert_true(cert_next_principal(&cursor, &name));
	assert_true(view_eq_str(name, "run-1"));
	assert_true(cert_next_principal(&cursor, &name));
	assert_true(view_eq_str(name, "b"));
	assert_false(cert_next_principal(&cursor, &name));

	cursor = cert.critical;
	assert_true(cert_next_option(&cursor, &option));
	assert_true(view_eq_str(option.name, "force-command"));
	assert_true(view_eq(option.data, VIEW("\0\0\0\2id", 6)));
	assert_true(cert_next_option(&cursor, &option));
	assert_false(cert_next_option(&cursor, &option));
	crafted_free(&c);
}

/* Exactly as many bytes on the heap, so that the sanitizer sees one more. */
static enum sbx_err
judge_copy(struct view bytes)
{
	uint8_t *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
	enum sbx_err err;

	assert_non_null(copy);
	memcpy(copy, bytes.p, bytes.len);
	err = judge(VIEW(copy, bytes.len));
	free(copy);
	return err;
}

static void
test_truncated_at_every_byte(void **state)
{
	struct crafted c = craft(&full);

	(void)state;
	for (size_t len = 0; len < c.len; len++)
		assert_int_not_equal(judge_copy(VIEW(c.p, len)), SBX_OK);
	assert_int_equal(judge_copy(crafted_view(&c)), SBX_OK);
	crafted_free(&c);
}

static void
test_every_bit_flipped(void **state)
{
	struct crafted c = craft(&full);

	(void)state;
	for (size_t bit = 0; bit < 8 * c.len; bit++) {
		c.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(judge(crafted_view(&c)), SBX_OK);
		c.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	crafted_free(&c);
}

static void
test_huge_length_everywhere(void **state)
{
	struct crafted c = craft(&full);

	(void)state;
	for (size_t at = 0; at + 4 <= c.len; at++) {
		uint8_t saved[4];

		memcpy(saved, c.p + at, sizeof(saved));
		memset(c.p + at, 0xff, sizeof(saved));
		assert_int_not_equal(judge(crafted_view(&c)), SBX_OK);
		memcpy(c.p + at, saved, sizeof(saved));
	}
	crafted_free(&c);
}

static void
test_field_of_a_megabyte(void **state)
{
	struct craft spec = full;
	size_t size = 1 << 20;
	uint8_t *bytes = calloc(1, size);
	struct view *fields[] = { &spec.nonce, &spec.key, &spec.key_id,
		&spec.principals[0], &spec.critical[0].value, &spec.reserved,
		&spec.ca, &spec.signature_type };

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct view saved = *fields[i];
		struct crafted c;

		*fields[i] = VIEW(bytes, size);
		c = craft(&spec);
		assert_int_equal(judge(crafted_view(&c)), SBX_TOO_LARGE);
		*fields[i] = saved;
		crafted_free(&c);
	}
	free(bytes);
}

/* Every field within its own limit, but not all of them together. */
static void
test_larger_than_a_certificate(void **state)
{
	static uint8_t name[CERT_OPTIONS_MAX - 8];
	struct craft spec = full;
	struct crafted c;

	(void)state;
	for (size_t i = 1; i < CRAFT_LIST; i++)
		spec.critical[i].shape = spec.extensions[i].shape = 0;
	spec.critical[0] = (struct craft_option){ CRAFT_FLAG,
		{ name, sizeof(name) }, V(""), V("") };
	c = craft(&spec);
	assert_int_equal(judge(crafted_view(&c)), SBX_OK);
	crafted_free(&c);
	spec.extensions[0] = spec.critical[0];
	c = craft(&spec);
	assert_int_equal(judge(crafted_view(&c)), SBX_TOO_LARGE);
	crafted_free(&c);
}

/* ssh-keygen certifies every kind of key; security keys are made up here. */
static const struct issued {
	const char *kind;
	const char *bits;
	const char *type;
} issued[] = {
	{ "ed25519", "256", "ssh-ed25519" },
	{ "ecdsa", "256", "ecdsa-sha2-nistp256" },
	{ "ecdsa", "384", "ecdsa-sha2-nistp384" },
	{ "ecdsa", "521", "ecdsa-sha2-nistp521" },
	{ "rsa", "2048", "ssh-rsa" },
	{ NULL,
	    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAINdamAGC"
	    "sQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1EaAAAABHNzaDo=",
	    "sk-ssh-ed25519@openssh.com" },
	{ NULL,
	    "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20A"
	    "AAAIbmlzdHAyNTYAAABBBCgeBQjZeb7nZkV5riW6TkMgm/jYSrmn"
	    "YuzMB3WpdEBpsxNA1VtJGP76vbG1JjXlvfdgGKFm5E6yWDYs3Jnk"
	    "3/cAAAAEc3NoOg==",
	    "sk-ecdsa-sha2-nistp256@openssh.com" },
};

static void
make_key(const struct issued *key)
{
	char line[512];

	(void)unlink("key");
	if (key->kind != NULL) {
		assert_int_equal(RUN(NULL, "ssh-keygen", "-q", "-t", key->kind,
				     "-b", key->bits, "-N", "", "-f", "key"),
		    0);
		return;
	}
	(void)snprintf(line, sizeof(line), "%s %s\n", key->type, key->bits);
	assert_true(scratch_write("key.pub", 0644, VIEW_STR(line)));
}

static void
read_file(const char *name, struct buf *ret)
{
	assert_int_equal(file_read(AT_FDCWD, name, ret, NULL), SBX_OK);
	assert_true(ret->len > 0 && ret->p[ret->len - 1] == '\n');
	ret->len--;
}

static void
test_issued_by_ssh_keygen(void **state)
{
	const struct issued *key = *state;
	cleanup_buf struct buf ca_line = BUF_INIT(1024), line = BUF_INIT(8192);
	cleanup_buf struct buf ca_blob = BUF_INIT(1024), blob = BUF_INIT(8192);
	cleanup_buf struct buf plain_line = BUF_INIT(8192);
	cleanup_buf struct buf plain_blob = BUF_INIT(8192);
	cleanup_buf struct buf again = BUF_INIT(8192);
	struct public_key ca, plain;
	uint8_t ca_point[KEY_ED25519_LEN];
	struct cert cert;

	(void)unlink("ca");
	assert_int_equal(RUN(NULL, "ssh-keygen", "-q", "-t", "ed25519", "-N",
			     "", "-f", "ca"),
	    0);
	make_key(key);
	assert_int_equal(RUN(NULL, "ssh-keygen", "-q", "-s", "ca", "-I", "id x",
			     "-n", "run-1,b", "-V", "+1h", "-z", "7", "-O",
			     "force-command=id", "key.pub"),
	    0);
	read_file("ca.pub", &ca_line);
	read_file("key.pub", &plain_line);
	read_file("key-cert.pub", &line);
	assert_int_equal(
	    key_parse_line(buf_view(&ca_line), &ca_blob, &ca), SBX_OK);
	assert_int_equal(key_ed25519(&ca, ca_point), SBX_OK);
	assert_int_equal(
	    key_parse_line(buf_view(&plain_line), &plain_blob, &plain), SBX_OK);
	assert_int_equal(
	    cert_parse_line(buf_view(&line), &blob, &cert), SBX_OK);
	assert_string_equal(cert.kind->name, key->type);
	assert_int_equal(cert.serial, 7);
	assert_int_equal(cert.principal_count, 2);
	assert_true(view_eq_str(cert.key_id, "id x"));
	assert_int_equal(cert_verify(&cert, ca_point), SBX_OK);
	cert_put_public_key(&cert, &again);
	assert_true(view_eq(buf_view(&again), plain.blob));
	/* a plain key is no certificate */
	assert_int_equal(cert_parse(plain.blob, &cert), SBX_CERT_TYPE);
}

#define ISSUED (sizeof(issued) / sizeof(issued[0]))

static void
test_type_word_must_fit(void **state)
{
	cleanup_buf struct buf line = BUF_INIT(8192), blob = BUF_INIT(8192);
	struct crafted c = craft(&full);
	struct cert cert;

	(void)state;
	key_put_line(crafted_view(&c), "comment", &line);
	assert_int_equal(
	    cert_parse_line(buf_view(&line), &blob, &cert), SBX_OK);
	line.p[0] = 'S';
	buf_reset(&blob);
	assert_int_equal(
	    cert_parse_line(buf_view(&line), &blob, &cert), SBX_TYPE_MISMATCH);
	crafted_free(&c);
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(test_every_field),
	{ "threat 10: truncated at every byte", test_truncated_at_every_byte,
	    NULL, NULL, NULL },
	{ "threat 9: every bit flipped", test_every_bit_flipped, NULL, NULL,
	    NULL },
	{ "threat 11: a length of 4 GB everywhere", test_huge_length_everywhere,
	    NULL, NULL, NULL },
	{ "threat 11: a field of a megabyte", test_field_of_a_megabyte, NULL,
	    NULL, NULL },
	{ "threat 11: larger than a certificate",
	    test_larger_than_a_certificate, NULL, NULL, NULL },
	cmocka_unit_test(test_type_word_must_fit),
};

#define PLAIN (sizeof(plain_tests) / sizeof(plain_tests[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + ISSUED + PLAIN];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	for (size_t i = 0; i < ISSUED; i++)
		tests[ROWS + i] = (struct CMUnitTest){ issued[i].type,
			test_issued_by_ssh_keygen, NULL, NULL,
			(void *)&issued[i] };
	memcpy(tests + ROWS + ISSUED, plain_tests, sizeof(plain_tests));
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
