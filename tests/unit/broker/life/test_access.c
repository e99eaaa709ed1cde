/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "broker/life/access.h"
#include "common/cleanup.h"

#define RANGE 1879048192
#define BROKER 500

static const struct broker_settings settings = {
	.uid_range = { RANGE, 4096 },
	.own_uid = BROKER,
};

static struct store *store;

struct row {
	const char *name;
	uid_t uid;
	const char *account;
	enum sbx_err want;
	const char *caller;
	bool alices, bobs; /* may touch alice's sandbox, bob's */
};

static const struct row rows[] = {
	{ "root", 0, "root", SBX_OK, "root", true, true },
	{ "the broker's own user", BROKER, "op", SBX_OK, "op", true, true },
	{ "the owner", 1000, "alice", SBX_OK, "alice", true, false },
	{ "someone else", 1001, "bob", SBX_OK, "bob", false, true },
	{ "no account", 1002, NULL, SBX_OK, "uid:1002", false, false },
	{ "a name with a slash", 1003, "a/b", SBX_OK, "uid:1003", false,
	    false },
	{ "a name with a blank", 1003, "al ice", SBX_OK, "uid:1003", false,
	    false },
	{ "an empty name", 1003, "", SBX_OK, "uid:1003", false, false },
	{ "nobody can be named like a number", 1003, "uid:1000", SBX_OK,
	    "uid:1003", false, false },
	{ "a sandbox", RANGE, NULL, SBX_REFUSED, NULL, false, false },
	{ "the last of the sandboxes", RANGE + 4095, "alice", SBX_REFUSED, NULL,
	    false, false },
	{ "behind the sandboxes", RANGE + 4096, "alice", SBX_OK, "alice", true,
	    false },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	struct sandbox alices = { .id = "a", .owner = "alice" };
	struct sandbox bobs = { .id = "b", .owner = "bob" };
	const struct row *row = *state;
	struct caller caller;

	assert_int_equal(
	    access_judge(&settings, row->uid, row->account, &caller, NULL),
	    row->want);
	if (row->want != SBX_OK)
		return;
	assert_string_equal(caller.name, row->caller);
	for (int verb = 0; verb < ACCESS_VERB_COUNT; verb++) {
		assert_int_equal(access_may(store, &caller, &alices,
				     (enum access_verb)verb, NULL),
		    row->alices ? SBX_OK : SBX_NOT_FOUND);
		assert_int_equal(access_may(store, &caller, &bobs,
				     (enum access_verb)verb, NULL),
		    row->bobs ? SBX_OK : SBX_NOT_FOUND);
	}
}

/* What one that alice shares lets others do. */
static void
test_shares(void **state)
{
	static const struct {
		uid_t uid;
		const char *verbs; /* "" for none */
	} want[] = {
		{ 1000, "show,ssh,start,stop,extend,kill,share" },
		{ 3001001, "show,ssh" },
		{ 3001002, "show" },
		{ 3001003, "" },
		{ 0, "show,ssh,start,stop,extend,kill,share" },
	};
	/* A word of a newer sandboxd's, and one that nobody can share. */
	static const struct share shares[] = {
		{ false, 3001001, "bob", "show,ssh" },
		{ false, 3001002, "carol", "show,fly,kill" },
		{ true, 3001003, "dave", "show" },
	};
	struct sandbox row = { .id = "run-1",
		.provider = "local",
		.owner = "alice",
		.person = "alice" };

	(void)state;
	assert_int_equal(store_add(store, &row, 10, NULL), SBX_OK);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		assert_int_equal(
		    store_share(store, "run-1", &shares[i], NULL, NULL),
		    SBX_OK);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct caller caller;
		struct sbx_why why;
		char verbs[STORE_VERBS_MAX];

		assert_int_equal(
		    access_judge(&settings, want[i].uid,
			want[i].uid == 1000 ? "alice" : NULL, &caller, NULL),
		    SBX_OK);
		for (int verb = 0; verb < ACCESS_VERB_COUNT; verb++) {
			enum sbx_err err = access_may(
			    store, &caller, &row, (enum access_verb)verb, &why);

			access_put_verbs(row.verbs, verbs);
			assert_string_equal(verbs, want[i].verbs);
			assert_int_equal(err,
			    row.verbs == 0 ? SBX_NOT_FOUND
				: (row.verbs & ACCESS_BIT(verb)) == 0
				? SBX_REFUSED
				: SBX_OK);
		}
	}
	assert_int_equal(access_verbs(""), 0);
	assert_int_equal(access_verbs("ssh"), ACCESS_BIT(ACCESS_SSH));
	assert_int_equal(access_verbs("ss,sshh,,"), 0);
}

static int
open_store(void **state)
{
	(void)state;
	return store_open(":memory:", &store, NULL) == SBX_OK ? 0 : -1;
}

static int
close_store(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static void
test_peer(void **state)
{
	struct persons *persons;
	struct caller caller;
	int fds[2];

	(void)state;
	assert_int_equal(
	    persons_new(&settings, "/nonexistent", &persons), SBX_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(
	    access_peer(&settings, persons, fds[0], &caller, NULL), SBX_OK);
	assert_int_equal(caller.uid, getuid());
	assert_int_equal(caller.person, getuid());
	assert_string_equal(caller.person_name, caller.name);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(
	    access_peer(&settings, persons, -1, &caller, NULL), SBX_REFUSED);
	persons_free(persons);
}

/* Who may have which sandbox, by whose broker it is. */
static void
test_isolation(void **state)
{
	const struct broker_settings roots = { .own_uid = 0 };
	const struct caller root = { .uid = 0 }, alice = { .uid = 1000 };
	const struct caller owner = { .uid = BROKER };
	const struct caller other = { .uid = BROKER + 1 };

	(void)state;
	assert_int_equal(
	    access_isolation(&roots, &root, ISOLATION_NONE, NULL), SBX_OK);
	assert_int_equal(
	    access_isolation(&roots, &alice, ISOLATION_NAMESPACES, NULL),
	    SBX_OK);
	assert_int_equal(access_isolation(&roots, &alice, ISOLATION_NONE, NULL),
	    SBX_REFUSED);
	assert_int_equal(
	    access_isolation(&settings, &owner, ISOLATION_NONE, NULL), SBX_OK);
	assert_int_equal(
	    access_isolation(&settings, &root, ISOLATION_NONE, NULL), SBX_OK);
	assert_int_equal(
	    access_isolation(&settings, &other, ISOLATION_NONE, NULL),
	    SBX_REFUSED);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS + 3];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_peer);
	tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test(test_isolation);
	tests[ROWS + 2] = (struct CMUnitTest)cmocka_unit_test(test_shares);
	return cmocka_run_group_tests(tests, open_store, close_store);
}
