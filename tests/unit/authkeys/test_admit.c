/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "authkeys/admit.h"
#include "authkeys/floor.h"
#include "authkeys/mark.h"
#include "certs/build.h"
#include "certs/revlist.h"
#include "tests/unit/tmpdir.h"

#define NOW INT64_C(1790000000)

/* Logins one after the other, with certificates of one hour from NOW. */
struct step {
	int64_t now; /* from NOW */
	uint64_t serial;
	char who; /* the connection; 0: it cannot be told */
	bool single_use;
	enum sbx_err want;
};

#define STEPS_MAX 5

static const struct row {
	const char *name;
	int setting; /* enum gate_single_use */
	struct step step[STEPS_MAX];
} rows[] = {
	{ "threat 20: second connection", GATE_SINGLE_USE_MARKED,
	    { { 10, 7, 'a', true, SBX_OK }, { 11, 7, 'a', true, SBX_OK },
		{ 12, 7, 'b', true, SBX_USED } } },
	{ "not for a single use", GATE_SINGLE_USE_MARKED,
	    { { 10, 7, 'a', false, SBX_OK }, { 11, 7, 'b', false, SBX_OK } } },
	{ "always for a single use", GATE_SINGLE_USE_ALWAYS,
	    { { 10, 7, 'a', false, SBX_OK },
		{ 11, 7, 'b', false, SBX_USED } } },
	{ "never for a single use", GATE_SINGLE_USE_NEVER,
	    { { 10, 7, 'a', true, SBX_SINGLE_USE },
		{ 11, 8, 'b', false, SBX_OK } } },
	{ "threat 21: connection that cannot be told", GATE_SINGLE_USE_MARKED,
	    { { 10, 7, 0, true, SBX_CONNECTION }, { 11, 7, 'b', true, SBX_OK },
		{ 12, 8, 0, false, SBX_OK } } },
	{ "a denied one is not claimed", GATE_SINGLE_USE_MARKED,
	    { { -1000, 7, 'a', true, SBX_NOT_YET_VALID },
		{ 10, 7, 'b', true, SBX_OK } } },
	{ "threat 26: clock back after the end", GATE_SINGLE_USE_MARKED,
	    { { 3599, 7, 'a', false, SBX_OK },
		{ 3600, 7, 'a', false, SBX_EXPIRED },
		{ 3599, 7, 'a', false, SBX_EXPIRED },
		{ 10, 8, 'a', false, SBX_EXPIRED } } },
	{ "threat 26: clock back after another's end", GATE_SINGLE_USE_MARKED,
	    { { 10, 7, 'a', false, SBX_OK },
		{ 90000, 8, 'a', false, SBX_EXPIRED },
		{ 10, 7, 'a', false, SBX_EXPIRED } } },
	{ "threat 26: clock back after a claim", GATE_SINGLE_USE_MARKED,
	    { { 3000, 7, 'a', true, SBX_OK }, { 10, 7, 'b', true, SBX_USED },
		{ 10, 7, 'a', true, SBX_OK } } },
	{ "threat 26: clock back after a claim and its end",
	    GATE_SINGLE_USE_MARKED,
	    { { 10, 7, 'a', true, SBX_OK },
		{ 90000, 7, 'b', true, SBX_EXPIRED },
		{ 90001, 7, 'b', true, SBX_EXPIRED },
		{ 10, 7, 'b', true, SBX_EXPIRED } } },
	{ "threat 26: clock back a little", GATE_SINGLE_USE_MARKED,
	    { { 100, 7, 'a', false, SBX_OK }, { 10, 7, 'a', false, SBX_OK } } },
	{ "threat 26: clock ahead", GATE_SINGLE_USE_MARKED,
	    { { 10, 7, 'a', false, SBX_OK },
		{ 1000000000, 7, 'a', false, SBX_EXPIRED } } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct keypair trusted_ca, user_key;
static struct tmpdir tmpdir;
static struct gate_settings settings;
static char who_asks;

static int
make_keys(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	keypair_generate(&trusted_ca);
	keypair_generate(&user_key);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	tmpdir_make(&tmpdir);
	settings = (struct gate_settings){
		.id = "run-1",
		.login_users = { 1, { "sandbox" } },
		.max_ttl = 7200,
		.clock_skew = 60,
		.trusted = { .count = 1 },
	};
	memcpy(settings.trusted.key[0], trusted_ca.public, KEY_ED25519_LEN);
	(void)snprintf(
	    settings.state_dir, sizeof(settings.state_dir), "%s", tmpdir.path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tmpdir_remove(&tmpdir);
	return 0;
}

/* Who signs what is offered. */
static const struct keypair *issuer = &trusted_ca;

static void
issue(uint64_t serial, bool single_use, struct buf *ret)
{
	static const uint8_t nonce[BUILD_NONCE_LEN] = { 1 };
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct cert_request request = {
		.type = CERT_TYPE_USER,
		.principal = "run-1",
		.key_id = "alice/run-1/7",
		.serial = serial,
		.valid_after = NOW,
		.valid_before = NOW + 3600,
		.single_use = single_use,
	};

	key_put_ed25519(user_key.public, &key);
	request.public_key = buf_view(&key);
	assert_int_equal(
	    cert_issue(&request, nonce, CA_KEY(issuer), ret, NULL), SBX_OK);
}

static enum sbx_err
fake_connection(struct connection *ret, struct sbx_why *why)
{
	if (who_asks == 0)
		return sbx_fail(why, SBX_CONNECTION, "fake");
	(void)snprintf(ret->text, sizeof(ret->text), "boot %c", who_asks);
	return SBX_OK;
}

static enum sbx_err
log_in(const struct step *step, struct sbx_why *why)
{
	cleanup_request struct request request = { .user = "sandbox",
		.blob = BUF_INIT(CERT_BLOB_MAX),
		.certificate = true };
	const struct admit_context context = {
		.settings = &settings,
		.now = (uint64_t)(NOW + step->now),
		.trusted_owner = geteuid(),
		.state_owner = geteuid(),
		.connection = fake_connection,
	};
	struct decision decision;
	enum sbx_err err;

	*why = (struct sbx_why){ "" };
	who_asks = step->who;
	issue(step->serial, step->single_use, &request.blob);
	err = admit(&context, &request, &decision, why);
	/* So the log can say over what. */
	assert_true(decision.parsed);
	assert_int_equal(decision.cert.serial, step->serial);
	return err;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sbx_why why;

	assert_int_equal(setup(NULL), 0);
	settings.single_use = row->setting;
	for (int i = 0; i < STEPS_MAX && row->step[i].serial != 0; i++) {
		enum sbx_err err = log_in(&row->step[i], &why);

		if (err != row->step[i].want)
			fail_msg("step %d: %s, not %s (%s)", i,
			    sbx_err_name(err), sbx_err_name(row->step[i].want),
			    why.text);
		if (err == SBX_OK)
			assert_string_equal(why.text, "");
	}
	(void)teardown(NULL);
}

/* A clock that is ahead for a moment must not stay so at their word. */
static void
test_stranger_does_not_set_the_clock(void **state)
{
	const struct step late = { 90000, 7, 'a', false, SBX_EXPIRED };
	const struct step now = { 10, 7, 'a', false, SBX_OK };
	struct keypair stranger;
	struct sbx_why why;

	(void)state;
	keypair_generate(&stranger);
	issuer = &stranger;
	assert_int_equal(log_in(&late, &why), SBX_EXPIRED);
	issuer = &trusted_ca;
	assert_int_equal(log_in(&now, &why), SBX_OK);
}

/* The operator is told of it. */
static void
test_clock_is_behind(void **state)
{
	const struct step late = { 90000, 7, 'a', false, SBX_EXPIRED };
	const struct step now = { 10, 7, 'a', false, SBX_EXPIRED };
	struct sbx_why why;

	(void)state;
	assert_int_equal(log_in(&late, &why), SBX_EXPIRED);
	assert_string_equal(why.text, "");
	assert_int_equal(log_in(&now, &why), SBX_EXPIRED);
	assert_string_equal(why.text,
	    "the clock is 89990 s behind the latest time seen, 1790090000: "
	    "see Clock in sandbox-authkeys(8)");
}

/* Every run of the gate would be too often to write. */
static void
test_floor_is_written_rarely(void **pointer)
{
	struct step step = { 10, 7, 'a', false, SBX_OK };
	struct state state;
	struct sbx_why why;
	uint64_t floor;

	(void)pointer;
	assert_int_equal(
	    state_open(tmpdir.path, geteuid(), &state, NULL), SBX_OK);
	for (step.now = 10; step.now < 10 + FLOOR_STEP; step.now++) {
		assert_int_equal(log_in(&step, &why), SBX_OK);
		assert_int_equal(floor_read(&state, &floor, NULL), SBX_OK);
		assert_int_equal(floor, NOW + 10);
	}
	assert_int_equal(log_in(&step, &why), SBX_OK);
	assert_int_equal(floor_read(&state, &floor, NULL), SBX_OK);
	assert_int_equal(floor, NOW + 10 + FLOOR_STEP);
	state_close(&state);
}

/*
 * A floor that cannot be written, as on a full disk: a folder stands where
 * the new one is made.
 */
static void
test_floor_cannot_be_written(void **state)
{
	const struct step many = { 10, 7, 'a', false, SBX_OK };
	const struct step once = { 10, 8, 'a', true, SBX_IO };
	struct sbx_why why;

	(void)state;
	assert_int_equal(mkdirat(tmpdir.dir, "floor.new", 0700), 0);
	assert_int_equal(log_in(&many, &why), SBX_OK);
	assert_non_null(strstr(why.text, "/floor.new: "));
	assert_int_equal(log_in(&once, &why), SBX_IO);
	assert_non_null(strstr(why.text, "/floor.new: "));
}

/* A list of trusted_ca or another, which revokes one serial of trusted_ca. */
static void
put_list(const struct keypair *signer, int64_t issued, uint64_t serial)
{
	cleanup_buf struct buf list = BUF_INIT(65536);
	cleanup_revset struct revset set;

	revset_init(&set);
	assert_int_equal(
	    revset_add_serials(&set, trusted_ca.public, serial, serial),
	    SBX_OK);
	assert_int_equal(
	    revlist_sign(&set, CA_KEY(signer), (uint64_t)(NOW + issued),
		(uint64_t)(NOW + issued + 3600), &list, NULL),
	    SBX_OK);
	assert_int_equal(
	    file_write_atomic(tmpdir.dir, "list", 0644, buf_view(&list), NULL),
	    SBX_OK);
	settings.revoked_max_age = 3600;
	(void)snprintf(
	    settings.revoked, sizeof(settings.revoked), "%s/list", tmpdir.path);
}

static void
put_back(void)
{
	assert_int_equal(renameat(tmpdir.dir, "kept", tmpdir.dir, "list"), 0);
}

static void
put_aside(void)
{
	assert_int_equal(renameat(tmpdir.dir, "list", tmpdir.dir, "kept"), 0);
}

/* Also if all who came meanwhile were revoked. */
static void
test_older_list_is_put_back(void **state)
{
	const struct step revoked = { 11, 7, 'a', false, SBX_REVOKED };
	const struct step good = { 12, 8, 'a', false, SBX_OK };
	struct sbx_why why;

	(void)state;
	put_list(&trusted_ca, 0, 99);
	assert_int_equal(log_in(&good, &why), SBX_OK);
	assert_string_equal(why.text, "");
	put_aside();
	put_list(&trusted_ca, 1, 7);
	assert_int_equal(log_in(&revoked, &why), SBX_REVOKED);
	assert_int_equal(log_in(&revoked, &why), SBX_REVOKED);
	put_back();
	assert_int_equal(log_in(&revoked, &why), SBX_REVOKED_OLDER);
	assert_string_equal(why.text,
	    "the list was issued at 1790000000, one seen before at 1790000001: "
	    "see Clock in sandbox-authkeys(8)");
	assert_int_equal(log_in(&good, &why), SBX_REVOKED_OLDER);
	put_list(&trusted_ca, 2, 7);
	assert_int_equal(log_in(&good, &why), SBX_OK);
	assert_int_equal(log_in(&revoked, &why), SBX_REVOKED);
}

/* Each signer has a clock of its own. */
static void
test_older_list_of_another_signer(void **state)
{
	const struct step good = { 12, 8, 'a', false, SBX_OK };
	struct keypair other;
	struct sbx_why why;

	(void)state;
	keypair_generate(&other);
	settings.trusted.count = 2;
	memcpy(settings.trusted.key[1], other.public, KEY_ED25519_LEN);
	put_list(&trusted_ca, 1, 99);
	assert_int_equal(log_in(&good, &why), SBX_OK);
	put_list(&other, 0, 99);
	assert_int_equal(log_in(&good, &why), SBX_OK);
	put_list(&trusted_ca, 0, 99);
	assert_int_equal(log_in(&good, &why), SBX_REVOKED_OLDER);
}

/* One that nobody may go by says nothing about those to come. */
static void
test_list_not_in_force_is_not_remembered(void **state)
{
	const struct step good = { 12, 8, 'a', false, SBX_OK };
	struct keypair stranger;
	struct sbx_why why;

	(void)state;
	keypair_generate(&stranger);
	put_list(&stranger, 5, 99);
	assert_int_equal(log_in(&good, &why), SBX_REVOKED_SIGNER);
	put_list(&trusted_ca, 12 + 61, 99);
	assert_int_equal(log_in(&good, &why), SBX_REVOKED_STALE);
	put_list(&trusted_ca, 0, 99);
	assert_int_equal(log_in(&good, &why), SBX_OK);
}

/* As with a floor that cannot be written, nobody is kept out. */
static void
test_newest_list_cannot_be_written(void **state)
{
	const struct step good = { 12, 8, 'a', false, SBX_OK };
	char name[MARK_NAME_MAX + 4], signer[2 * KEY_ED25519_LEN + 1];
	struct sbx_why why;

	(void)state;
	(void)sodium_bin2hex(
	    signer, sizeof(signer), trusted_ca.public, KEY_ED25519_LEN);
	(void)snprintf(name, sizeof(name), "list-%s.new", signer);
	assert_int_equal(mkdirat(tmpdir.dir, name, 0700), 0);
	put_list(&trusted_ca, 0, 99);
	assert_int_equal(log_in(&good, &why), SBX_OK);
	assert_non_null(strstr(why.text, name));
	/* But not if what is there cannot be read. */
	(void)snprintf(name, sizeof(name), "list-%s", signer);
	assert_int_equal(mkfifoat(tmpdir.dir, name, 0600), 0);
	assert_int_equal(log_in(&good, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, name));
}

/* The process waits for a lock, or has ended: then it is not waited for. */
static bool
waits_for_lock(pid_t pid)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256], want[32];
	bool found = false;
	siginfo_t info = { .si_pid = 0 };

	assert_non_null(locks);
	(void)snprintf(want, sizeof(want), " %ld ", (long)pid);
	while (fgets(line, sizeof(line), locks) != NULL)
		found = found ||
		    (strstr(line, "-> ") != NULL && strstr(line, want) != NULL);
	(void)fclose(locks);
	assert_int_equal(
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return found || info.si_pid == pid;
}

/* Log in while another run of the gate has the lock. */
static enum sbx_err
log_in_while_locked(const struct step *step)
{
	struct state state;
	struct sbx_why why;
	int status;
	pid_t pid;

	assert_int_equal(
	    state_open(tmpdir.path, geteuid(), &state, NULL), SBX_OK);
	assert_true(state_lock(&state, /* wait= */ false));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* The lock is the parent's alone. */
		state_close(&state);
		(void)alarm(30);
		_exit((int)log_in(step, &why));
	}
	while (!waits_for_lock(pid))
		(void)sched_yield();
	state_unlock(&state);
	state_close(&state);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* What was once said to have ended has, whoever was busy then. */
static void
test_end_is_kept_though_locked(void **state)
{
	const struct step late = { 3600, 7, 'a', false, SBX_EXPIRED };
	const struct step back = { 10, 7, 'a', false, SBX_OK };
	struct sbx_why why;

	(void)state;
	assert_int_equal(log_in_while_locked(&late), SBX_EXPIRED);
	assert_int_equal(log_in(&back, &why), SBX_EXPIRED);
}

static void
test_list_is_kept_though_locked(void **state)
{
	const struct step good = { 12, 8, 'a', false, SBX_OK };
	struct sbx_why why;

	(void)state;
	put_list(&trusted_ca, 1, 99);
	assert_int_equal(log_in_while_locked(&good), SBX_OK);
	put_list(&trusted_ca, 0, 99);
	assert_int_equal(log_in(&good, &why), SBX_REVOKED_OLDER);
}

static void
test_hostile_state_denies_all(void **state)
{
	const struct step many = { 10, 7, 'a', false, SBX_OK };
	struct sbx_why why;

	(void)state;
	assert_int_equal(mkfifoat(tmpdir.dir, "floor", 0600), 0);
	assert_int_equal(log_in(&many, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, "/floor is not a regular file"));
}

static void
test_hostile_claims_deny_a_single_use(void **state)
{
	const struct step many = { 10, 7, 'a', false, SBX_OK };
	const struct step once = { 10, 8, 'a', true, SBX_OK };
	struct sbx_why why;

	(void)state;
	assert_int_equal(symlinkat("/tmp", tmpdir.dir, "claims"), 0);
	assert_int_equal(log_in(&many, &why), SBX_OK);
	assert_int_equal(log_in(&once, &why), SBX_UNTRUSTED);
	assert_non_null(strstr(why.text, "/claims is a symbolic link"));
}

/* Nothing is remembered, and nothing needs to be. */
static void
test_without_state(void **state)
{
	const struct step many = { 10, 7, 'a', false, SBX_OK };
	const struct step once = { 10, 8, 'a', true, SBX_OK };
	struct sbx_why why;

	(void)state;
	settings.state_dir[0] = '\0';
	assert_int_equal(log_in(&many, &why), SBX_OK);
	assert_int_equal(log_in(&once, &why), SBX_SINGLE_USE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest others[] = {
	TEST(test_stranger_does_not_set_the_clock),
	TEST(test_clock_is_behind),
	TEST(test_floor_is_written_rarely),
	TEST(test_floor_cannot_be_written),
	{ "threat 23: an older list is put back", test_older_list_is_put_back,
	    setup, teardown, NULL },
	TEST(test_older_list_of_another_signer),
	TEST(test_list_not_in_force_is_not_remembered),
	TEST(test_newest_list_cannot_be_written),
	{ "threat 26: the end is kept though another has the lock",
	    test_end_is_kept_though_locked, setup, teardown, NULL },
	TEST(test_list_is_kept_though_locked),
	TEST(test_hostile_state_denies_all),
	TEST(test_hostile_claims_deny_a_single_use),
	TEST(test_without_state),
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

int
main(void)
{
	struct CMUnitTest tests[ROWS + OTHERS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
