/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "certs/keyfile.h"
#include "common/text.h"
#include "tests/unit/craft.h"
#include "tests/unit/scratch.h"

/* The private part of a key file, and what stands around it. */
struct spec {
	struct view magic;
	struct view cipher;
	struct view kdf;
	struct view kdf_options;
	uint32_t count;
	struct view outer_tail;
	uint32_t check[2];
	struct view type;
	uint8_t public_flip; /* of the inner copies' first byte */
	uint8_t seed_flip;
	uint8_t secret_flip; /* of the public half in the secret */
	struct view padding;
};

#define SPEC(...)                                                    \
	{                                                            \
		.magic = V("openssh-key-v1\0"), .cipher = V("none"), \
		.kdf = V("none"), .kdf_options = V(""), .count = 1,  \
		.check = { 7, 7 }, .type = V("ssh-ed25519"),         \
		.padding = V("\1\2\3"), __VA_ARGS__                  \
	}

static const struct row {
	const char *name;
	enum sbx_err want;
	struct spec spec;
} rows[] = {
	{ "a good one", SBX_OK, SPEC() },
	{ "wrong magic", SBX_KEY_MALFORMED,
	    SPEC(.magic = V("openssh-key-v2\0")) },
	{ "encrypted", SBX_KEY_ENCRYPTED,
	    SPEC(.cipher = V("aes256-ctr"), .kdf = V("bcrypt")) },
	{ "key derivation without cipher", SBX_KEY_MALFORMED,
	    SPEC(.kdf = V("bcrypt")) },
	{ "options of no key derivation", SBX_KEY_MALFORMED,
	    SPEC(.kdf_options = V("x")) },
	{ "no key", SBX_KEY_MALFORMED, SPEC(.count = 0) },
	{ "two keys", SBX_KEY_MALFORMED, SPEC(.count = 2) },
	{ "tail", SBX_TRAILING, SPEC(.outer_tail = V("x")) },
	{ "check words differ", SBX_KEY_MALFORMED, SPEC(.check = { 7, 8 }) },
	{ "another type inside", SBX_KEY_MALFORMED,
	    SPEC(.type = V("ssh-ed25518")) },
	{ "another public key inside", SBX_KEY_MALFORMED,
	    SPEC(.public_flip = 1) },
	{ "secret of another key", SBX_KEY_MALFORMED, SPEC(.seed_flip = 1) },
	{ "secret with another public half", SBX_KEY_MALFORMED,
	    SPEC(.secret_flip = 1) },
	{ "no padding", SBX_KEY_MALFORMED, SPEC(.padding = V("")) },
	{ "padding short", SBX_KEY_MALFORMED, SPEC(.padding = V("\1\2")) },
	{ "padding long", SBX_KEY_MALFORMED,
	    SPEC(.padding = V("\1\2\3\4\5\6\7\10\11\12\13")) },
	{ "padding of zeros", SBX_KEY_MALFORMED, SPEC(.padding = V("\0\0\0")) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
wrap(const struct crafted *bytes, struct buf *ret)
{
	buf_put_text(ret, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	text_base64_encode(crafted_view(bytes), ret);
	buf_put_text(ret, "\n-----END OPENSSH PRIVATE KEY-----\n");
}

static struct crafted
craft_keyfile(const struct spec *spec)
{
	struct crafted c = { 0 }, public = { 0 }, private = { 0 };
	uint8_t point[32], secret[64];

	craft_ca(1, point, secret);
	craft_string(&public, (struct view)V("ssh-ed25519"));
	craft_string(&public, VIEW(point, sizeof(point)));
	craft_bytes(&c, spec->magic);
	craft_string(&c, spec->cipher);
	craft_string(&c, spec->kdf);
	craft_string(&c, spec->kdf_options);
	craft_number(&c, spec->count, 4);
	craft_nest(&c, &public);
	craft_number(&private, spec->check[0], 4);
	craft_number(&private, spec->check[1], 4);
	craft_string(&private, spec->type);
	point[0] ^= spec->public_flip;
	secret[32] ^= spec->public_flip;
	secret[0] ^= spec->seed_flip;
	secret[32] ^= spec->secret_flip;
	craft_string(&private, VIEW(point, sizeof(point)));
	craft_string(&private, VIEW(secret, sizeof(secret)));
	craft_string(&private, (struct view)V("me"));
	craft_bytes(&private, spec->padding);
	craft_nest(&c, &private);
	craft_bytes(&c, spec->outer_tail);
	return c;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	struct crafted c = craft_keyfile(&row->spec);
	struct keypair pair;

	wrap(&c, &text);
	assert_string_equal(sbx_err_name(keyfile_parse(buf_view(&text), &pair)),
	    sbx_err_name(row->want));
	crafted_free(&c);
}

static void
test_truncated_at_every_byte(void **state)
{
	static const struct spec good = SPEC();
	struct crafted c = craft_keyfile(&good);
	size_t whole = c.len;
	struct keypair pair;

	(void)state;
	for (; c.len > 0; c.len--) {
		cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
		enum sbx_err err;

		wrap(&c, &text);
		err = keyfile_parse(buf_view(&text), &pair);
		if (c.len == whole)
			assert_int_equal(err, SBX_OK);
		else
			assert_int_not_equal(err, SBX_OK);
	}
	crafted_free(&c);
}

static void
test_armour(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	struct keypair pair, again;

	(void)state;
	keypair_generate(&pair);
	keyfile_put(&pair, "me", &text);
	assert_int_equal(keyfile_parse(buf_view(&text), &again), SBX_OK);
	assert_memory_equal(&pair, &again, sizeof(pair));
	buf_put_text(&text, "\n");
	assert_int_equal(keyfile_parse(buf_view(&text), &again), SBX_OK);
	buf_put_text(&text, "x");
	assert_int_equal(keyfile_parse(buf_view(&text), &again), SBX_TRAILING);
	assert_int_equal(keyfile_parse(VIEW(text.p + 1, text.len - 1), &again),
	    SBX_KEY_MALFORMED);
	assert_int_equal(
	    keyfile_parse(VIEW(text.p, 60), &again), SBX_TRUNCATED);
	assert_int_equal(keyfile_parse(VIEW("", 0), &again), SBX_KEY_MALFORMED);
}

static void
test_ssh_keygen_reads_ours(void **state)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf blob = BUF_INIT(256), want = BUF_INIT(1024);
	cleanup_buf struct buf said = BUF_INIT(1024);
	struct keypair pair;

	(void)state;
	keypair_generate(&pair);
	keyfile_put(&pair, "me at home", &text);
	assert_true(scratch_write("ours", 0600, buf_view(&text)));
	assert_int_equal(RUN(&said, "ssh-keygen", "-y", "-f", "ours"), 0);
	key_put_ed25519(pair.public, &blob);
	key_put_line(buf_view(&blob), "me at home\n", &want);
	assert_string_equal(buf_text(&said), buf_text(&want));
	buf_reset(&said);
	assert_int_equal(keyfile_public(buf_view(&text), &said), SBX_OK);
	assert_true(view_eq(buf_view(&said), buf_view(&blob)));
	assert_int_equal(
	    keyfile_public(VIEW(text.p, text.len - 40), &said), SBX_TRUNCATED);
}

static const struct file_row {
	const char *name;
	enum sbx_err want;
	mode_t mode;
	const char *argv[12];
} files[] = {
	{ "ssh-keygen's own", SBX_OK, 0600,
	    { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a comment",
		"-f", "key" } },
	{ "with passphrase", SBX_KEY_ENCRYPTED, 0600,
	    { "ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f",
		"key" } },
	{ "an ECDSA key", SBX_KEY_TYPE, 0600,
	    { "ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "key" } },
	{ "readable by the group", SBX_UNTRUSTED, 0640,
	    { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key" } },
	{ "a symbolic link", SBX_UNTRUSTED, 0600,
	    { "ln", "-s", "ours", "key" } },
	{ "no file", SBX_NOT_FOUND, 0600, { "true" } },
};

#define FILES (sizeof(files) / sizeof(files[0]))

static void
test_file(void **state)
{
	const struct file_row *row = *state;
	struct sbx_why why = { "" };
	struct keypair pair;

	(void)unlink("key");
	(void)unlink("key.pub");
	assert_int_equal(scratch_run(NULL, row->argv), 0);
	(void)chmod("key", row->mode);
	assert_string_equal(
	    sbx_err_name(keyfile_read("key", getuid(), &pair, &why)),
	    sbx_err_name(row->want));
	if (row->want != SBX_OK)
		assert_non_null(strstr(why.text, "key"));
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(test_truncated_at_every_byte),
	cmocka_unit_test(test_armour),
	cmocka_unit_test(test_ssh_keygen_reads_ours),
};

#define PLAIN (sizeof(plain_tests) / sizeof(plain_tests[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + PLAIN + FILES];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, plain_tests, sizeof(plain_tests));
	for (size_t i = 0; i < FILES; i++)
		tests[ROWS + PLAIN + i] = (struct CMUnitTest){ files[i].name,
			test_file, NULL, NULL, (void *)&files[i] };
	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
