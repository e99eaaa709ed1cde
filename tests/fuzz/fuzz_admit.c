/* SPDX-License-Identifier: ISC */
/*
 * Whole logins while the system fails, and the commands of the issuer beside
 * them.  The input is a list of steps, with a fate for each system call
 * (fault.h).  Whatever happens:
 *
 * - nobody is let in by a certificate that has ended, that is revoked, or
 *   that let in another connection when it was for one;
 * - the latest time that was kept never goes back;
 * - a revocation list reads whole, and has in it what a command has said
 *   that it put there; a new CA is a pair, or nothing.
 */
#include <time.h>

#include "authkeys/admit.h"
#include "authkeys/floor.h"
#include "certs/build.h"
#include "certs/cmd/ca_files.h"
#include "certs/cmd/listfile.h"
#include "common/cleanup.h"
#include "tests/fuzz/fault.h"
#include "tests/unit/tmpdir.h"

#define LIFE 3600 /* of a certificate, from its serial's hour on */
#define SERIALS 4
#define PATH_LEN 300

/* The machine, made once; what steps change is made anew for every input. */
static char top[256], work[PATH_LEN];
static char list_path[PATH_LEN], ca_path[PATH_LEN], public_path[PATH_LEN];
static struct keypair ca;
static struct gate_settings settings;
static struct buf blobs[SERIALS];
/* Lists are signed by the clock, which the steps do not turn. */
static uint64_t start, now;

/* What anybody was told. */
static int granted[SERIALS]; /* to which connection; 0: to none */
static bool revoked[SERIALS];
static uint64_t latest; /* floor that was on disk */
static int who;

static void
remove_machine(void)
{
	(void)nftw(top, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The first two are for a single use, the others as often as one likes. */
static bool
is_single(size_t serial)
{
	return serial < 2;
}

static void
issue(size_t serial, struct view key)
{
	static const uint8_t nonce[BUILD_NONCE_LEN] = { 1 };
	const struct cert_request request = {
		.public_key = key,
		.type = CERT_TYPE_USER,
		.principal = "run-1",
		.key_id = "alice/run-1/1",
		.serial = serial + 1,
		.valid_after = start,
		.valid_before = start + LIFE * (serial % 2 + 1),
		.single_use = is_single(serial),
	};

	blobs[serial] = BUF_INIT(CERT_BLOB_MAX);
	FUZZ_ASSERT(cert_issue(&request, nonce, CA_KEY(&ca), &blobs[serial],
			NULL) == SBX_OK);
}

static void
make_machine(void)
{
	static const uint8_t ca_seed[crypto_sign_SEEDBYTES] = { 1 };
	static const uint8_t user_seed[crypto_sign_SEEDBYTES] = { 2 };
	cleanup_buf struct buf key = BUF_INIT(256);
	struct keypair user;

	if (top[0] != '\0')
		return;
	fuzz_folder(top, sizeof(top));
	FUZZ_ASSERT(atexit(remove_machine) == 0);
	(void)crypto_sign_seed_keypair(ca.public, ca.secret, ca_seed);
	(void)crypto_sign_seed_keypair(user.public, user.secret, user_seed);
	key_put_ed25519(user.public, &key);
	start = (uint64_t)time(NULL);
	for (size_t i = 0; i < SERIALS; i++)
		issue(i, buf_view(&key));
	(void)snprintf(work, sizeof(work), "%s/work", top);
	(void)snprintf(list_path, sizeof(list_path), "%s/work/list", top);
	(void)snprintf(ca_path, sizeof(ca_path), "%s/work/ca", top);
	(void)snprintf(public_path, sizeof(public_path), "%s/work/ca.pub", top);
	settings = (struct gate_settings){
		.id = "run-1",
		.login_users = { .count = 1, .word = { "sandbox" } },
		.max_ttl = 2 * LIFE,
		/* Lists are issued while this runs, which may be for long. */
		.clock_skew = 24 * LIFE,
		.trusted = { .count = 1 },
	};
	memcpy(settings.trusted.key[0], ca.public, KEY_ED25519_LEN);
	(void)snprintf(settings.state_dir, FIELD_TEXT, "%s/state", work);
	(void)snprintf(settings.revoked, FIELD_TEXT, "%s", list_path);
}

static enum sbx_err
ask_who(struct connection *ret, struct sbx_why *why)
{
	(void)why;
	(void)snprintf(ret->text, sizeof(ret->text), "boot 1 100 %d", who);
	return SBX_OK;
}

/* What is on disk, seen without faults. */
static uint64_t
floor_now(void)
{
	cleanup_state struct state state = STATE_INIT;
	uint64_t floor = 0;

	FUZZ_ASSERT(
	    state_open(settings.state_dir, geteuid(), &state, NULL) == SBX_OK);
	FUZZ_ASSERT(floor_read(&state, &floor, NULL) == SBX_OK);
	return floor;
}

static void
check_login(size_t serial)
{
	uint64_t end = start + LIFE * (serial % 2 + 1);

	FUZZ_ASSERT(!revoked[serial]);
	FUZZ_ASSERT(now < end && latest < end);
	if (!is_single(serial))
		return;
	FUZZ_ASSERT(granted[serial] == 0 || granted[serial] == who);
	granted[serial] = who;
}

static void
step_login(void)
{
	uint8_t byte = next_byte();
	size_t serial = byte % SERIALS;
	const struct request request = {
		.user = "sandbox", .blob = blobs[serial], .certificate = true
	};
	const struct admit_context context = { .settings = &settings,
		.now = now,
		.trusted_owner = geteuid(),
		.state_owner = geteuid(),
		.connection = ask_who };
	struct decision decision;
	enum sbx_err err;

	who = byte / SERIALS % 3 + 1;
	armed = true;
	err = admit(&context, &request, &decision, NULL);
	armed = false;
	if (err == SBX_OK)
		check_login(serial);
	FUZZ_ASSERT(floor_now() >= latest);
	latest = floor_now();
}

/* Ahead, or back by less: a clock that was set. */
static void
step_time(void)
{
	uint8_t byte = next_byte();

	if (byte < 0x80)
		now += (uint64_t)byte * 60;
	else if (now - start >= (uint64_t)(byte - 0x80) * 10)
		now -= (uint64_t)(byte - 0x80) * 10;
}

static void
check_list(void)
{
	cleanup_revset struct revset set;
	uint64_t first, last;

	revset_init(&set);
	FUZZ_ASSERT(listfile_load(list_path, ca.public, &set, NULL) == SBX_OK);
	FUZZ_ASSERT(revset_sort(&set) == SBX_OK);
	for (uint64_t serial = 1; serial <= SERIALS; serial++) {
		bool found = false;

		for (size_t i = 0; set.table_count > 0 &&
		     i < revset_range_count(&set.table[0]);
		     i++) {
			revset_range(&set.table[0], i, &first, &last);
			found |= first <= serial && serial <= last;
		}
		FUZZ_ASSERT(found || !revoked[serial - 1]);
	}
}

/* As cmd_revoke.c does it; 0 revokes nothing, and makes the first list. */
static enum sbx_err
add_to_list(uint64_t serial)
{
	cleanup_close int lock = -1;
	cleanup_revset struct revset set;
	enum sbx_err err = SBX_OK;

	revset_init(&set);
	if (serial != 0)
		err = revset_add_serials(&set, ca.public, serial, serial);
	if (err == SBX_OK)
		err = listfile_lock(list_path, &lock, NULL);
	if (err == SBX_OK)
		err = listfile_load(list_path, ca.public, &set, NULL);
	if (err != SBX_OK && (err != SBX_NOT_FOUND || lock < 0))
		return err;
	/* It must not be stale before the steps are over. */
	return listfile_write(
	    list_path, &set, CA_KEY(&ca), 30 * 24 * LIFE, NULL);
}

static void
step_revoke(void)
{
	size_t serial = next_byte() % SERIALS;
	enum sbx_err err;

	armed = true;
	err = add_to_list(serial + 1);
	armed = false;
	revoked[serial] |= err == SBX_OK;
	check_list();
}

static void
step_new_ca(void)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	uint8_t public[KEY_ED25519_LEN];
	struct ca_set set;
	struct keypair pair;
	enum sbx_err err;

	armed = true;
	err = ca_files_make(ca_path, CA_COMMENT, public, NULL);
	armed = false;
	if (err != SBX_OK) {
		FUZZ_ASSERT(access(ca_path, F_OK) < 0);
		FUZZ_ASSERT(access(public_path, F_OK) < 0);
		return;
	}
	FUZZ_ASSERT(keyfile_read(ca_path, geteuid(), &pair, NULL) == SBX_OK);
	FUZZ_ASSERT(memcmp(pair.public, public, sizeof(public)) == 0);
	FUZZ_ASSERT(file_read(AT_FDCWD, public_path, &text, NULL) == SBX_OK);
	FUZZ_ASSERT(
	    ca_set_parse(public_path, buf_view(&text), &set, NULL) == SBX_OK);
	FUZZ_ASSERT(set.count == 1);
	FUZZ_ASSERT(memcmp(set.key[0], public, sizeof(public)) == 0);
	FUZZ_ASSERT(unlink(ca_path) == 0 && unlink(public_path) == 0);
}

static void (*const steps[])(
    void) = { step_login, step_time, step_revoke, step_new_ca };

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	make_machine();
	memset(granted, 0, sizeof(granted));
	memset(revoked, 0, sizeof(revoked));
	now = start;
	latest = 0;
	FUZZ_ASSERT(mkdir(work, 0700) == 0);
	FUZZ_ASSERT(mkdir(settings.state_dir, STATE_MODE) == 0);
	FUZZ_ASSERT(add_to_list(0) == SBX_OK);
	script = VIEW(bytes, size);
	while (script.len > 0)
		steps[next_byte() % (sizeof(steps) / sizeof(steps[0]))]();
	(void)nftw(work, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
