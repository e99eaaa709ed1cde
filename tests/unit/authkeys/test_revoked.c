/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/revoked.h"
#include "certs/build.h"
#include "certs/revlist.h"
#include "common/file.h"
#include "tests/unit/scratch.h"

#define NOW UINT64_C(1790000000)
#define SERIAL 42

enum fault {
	NONE,
	NO_FILE,
	SYMLINK,
	WRITABLE,
	ABOVE, /* the folder that it is in is writable */
	FOLDER,
	FIFO,
	EMPTY,
	CUT,
	TEXT
};

struct row {
	const char *name;
	enum sbx_err want;
	bool serial, key, ca; /* what the list revokes; else others */
	int64_t issued, next; /* from NOW */
	uint64_t max_age;
	bool stranger; /* signs the list */
	enum fault fault;
	bool unset; /* the settings name no list */
};

#define FITS .issued = -60, .next = 600, .max_age = 3600

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct row rows[] = {
	{ "revokes others", SBX_OK, FITS },
	{ "no list wanted", SBX_OK, FITS, .unset = true, .serial = true },
	{ "threat 23: the serial", SBX_REVOKED, FITS, .serial = true },
	{ "threat 23: the user's key", SBX_REVOKED, FITS, .key = true },
	{ "threat 23: the CA", SBX_REVOKED, FITS, .ca = true },
	{ "threat 23: missing", SBX_REVOKED_LIST, FITS, .fault = NO_FILE },
	{ "threat 24: a symbolic link", SBX_UNTRUSTED, FITS, .fault = SYMLINK },
	{ "threat 24: writable by others", SBX_UNTRUSTED, FITS,
	    .fault = WRITABLE },
	{ "threat 24: its folder is writable by others", SBX_UNTRUSTED, FITS,
	    .fault = ABOVE },
	{ "threat 24: a folder", SBX_UNTRUSTED, FITS, .fault = FOLDER },
	{ "threat 24: a FIFO", SBX_UNTRUSTED, FITS, .fault = FIFO },
	{ "threat 23: empty", SBX_REVOKED_LIST, FITS, .fault = EMPTY },
	{ "threat 23: cut short", SBX_REVOKED_LIST, FITS, .fault = CUT },
	{ "threat 23: text", SBX_REVOKED_LIST, FITS, .fault = TEXT },
	{ "threat 23: signed by a stranger", SBX_REVOKED_SIGNER, FITS,
	    .stranger = true },
	{ "as old as allowed", SBX_OK, FITS, .issued = -3600 },
	{ "threat 23: too old", SBX_REVOKED_STALE, FITS, .issued = -3601 },
	{ "threat 23: next update due", SBX_REVOKED_STALE, FITS, .next = 0 },
	{ "issued ahead, within the skew", SBX_OK, FITS, .issued = 60 },
	{ "threat 23: issued in the future", SBX_REVOKED_STALE, FITS,
	    .issued = 61 },
	{ "stale, and revokes", SBX_REVOKED_STALE, FITS, .issued = -3601,
	    .serial = true },
};
#pragma GCC diagnostic pop

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* signer is the CA that signs lists, issuer the one of the certificate. */
static struct keypair signer, issuer, stranger, user;

static int
start(void **state)
{
	if (sodium_init() < 0)
		return -1;
	keypair_generate(&signer);
	keypair_generate(&issuer);
	keypair_generate(&stranger);
	keypair_generate(&user);
	return scratch_enter(state);
}

static void
make_certificate(struct buf *ret_blob, struct cert *ret)
{
	static const uint8_t nonce[BUILD_NONCE_LEN] = { 1 };
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct cert_request request = {
		.type = CERT_TYPE_USER,
		.principal = "run-1",
		.key_id = "alice/run-1/2a",
		.serial = SERIAL,
		.valid_after = NOW - 60,
		.valid_before = NOW + 60,
	};

	key_put_ed25519(user.public, &key);
	request.public_key = buf_view(&key);
	assert_int_equal(
	    cert_issue(&request, nonce, CA_KEY(&issuer), ret_blob, NULL),
	    SBX_OK);
	assert_int_equal(cert_parse(buf_view(ret_blob), ret), SBX_OK);
}

/* Neighbours of everything, and what the row names. */
static void
make_list(const struct row *row, struct buf *ret)
{
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	cleanup_revset struct revset set;
	uint8_t hash[REVOCATIONS_KEY_LEN];

	revset_init(&set);
	assert_int_equal(
	    revset_add_serials(&set, issuer.public, 1, SERIAL - 1), SBX_OK);
	assert_int_equal(
	    revset_add_serials(&set, issuer.public, SERIAL + 1, UINT64_MAX),
	    SBX_OK);
	assert_int_equal(
	    revset_add_serials(&set, signer.public, 0, UINT64_MAX), SBX_OK);
	if (row->serial)
		assert_int_equal(
		    revset_add_serials(&set, issuer.public, SERIAL, SERIAL),
		    SBX_OK);
	key_put_ed25519(row->key ? user.public : stranger.public, &key);
	(void)crypto_hash_sha256(hash, key.p, key.len);
	assert_int_equal(revset_add_key(&set, hash), SBX_OK);
	assert_int_equal(
	    revset_add_ca(&set, row->ca ? issuer.public : user.public), SBX_OK);
	assert_int_equal(
	    revlist_sign(&set, CA_KEY(row->stranger ? &stranger : &signer),
		NOW + (uint64_t)row->issued, NOW + (uint64_t)row->next, ret,
		NULL),
	    SBX_OK);
}

static void
write_list(enum fault fault, struct view list)
{
	const char *name = fault == SYMLINK ? "target" : "list";
	mode_t mode = fault == WRITABLE ? 0664 : 0644;

	(void)remove("list");
	assert_int_equal(chmod(".", fault == ABOVE ? 0770 : 0700), 0);
	if (fault == EMPTY)
		list.len = 0;
	if (fault == CUT)
		list.len--;
	if (fault == TEXT)
		list = VIEW_STR("serial 0x2a\n");
	if (fault == FOLDER)
		assert_int_equal(mkdir("list", 0755), 0);
	else if (fault == FIFO)
		assert_int_equal(mkfifo("list", 0644), 0);
	else if (fault != NO_FILE)
		assert_true(scratch_write(name, mode, list));
	if (fault == SYMLINK)
		assert_int_equal(symlink(name, "list"), 0);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	cleanup_buf struct buf list = BUF_INIT(65536);
	struct gate_settings settings = { .clock_skew = 60,
		.revoked_max_age = row->max_age,
		.trusted = { .count = 2 } };
	struct revoked_list head;
	struct sbx_why why = { "" };
	struct cert cert;
	enum sbx_err err;

	memcpy(settings.trusted.key[0], issuer.public, KEY_ED25519_LEN);
	memcpy(settings.trusted.key[1], signer.public, KEY_ED25519_LEN);
	make_certificate(&blob, &cert);
	make_list(row, &list);
	write_list(row->fault, buf_view(&list));
	if (!row->unset)
		(void)snprintf(settings.revoked, sizeof(settings.revoked),
		    "%s/list", scratch_path);
	err = revoked_check(
	    &settings, getuid(), NOW, &cert, issuer.public, &head, &why);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	assert_int_equal(head.in_force,
	    !row->unset && (err == SBX_OK || err == SBX_REVOKED));
	if (head.in_force) {
		assert_int_equal(head.issued_at, NOW + (uint64_t)row->issued);
		assert_memory_equal(
		    head.signer, signer.public, KEY_ED25519_LEN);
	}
	if (err != SBX_OK)
		assert_non_null(strstr(why.text,
		    row->fault == ABOVE ? scratch_path : settings.revoked));
	else
		assert_string_equal(why.text, "");
}

/* Only root's own list counts for the gate. */
static void
test_owner(void **state)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	cleanup_buf struct buf list = BUF_INIT(65536);
	struct gate_settings settings = { .clock_skew = 60 };
	struct revoked_list list_head;
	struct cert cert;

	(void)state;
	make_certificate(&blob, &cert);
	make_list(&rows[0], &list);
	write_list(NONE, buf_view(&list));
	if (getuid() == 0)
		assert_int_equal(chown("list", 1, 1), 0);
	(void)snprintf(settings.revoked, sizeof(settings.revoked), "%s/list",
	    scratch_path);
	assert_int_equal(revoked_check(&settings, FILE_NO_OWNER, NOW, &cert,
			     issuer.public, &list_head, NULL),
	    SBX_UNTRUSTED);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 1];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_owner);
	return cmocka_run_group_tests(tests, start, scratch_leave);
}
