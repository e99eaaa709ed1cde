/* SPDX-License-Identifier: ISC */
#include "tests/unit/cases.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "broker/life/persons.h"
#include "common/file.h"
#include "tests/unit/tmpdir.h"

#define SANDBOXES 1879048192
#define OPERATOR 500 /* whose broker it is */
#define ALICE 1000
#define BOB 1001

static const struct broker_settings settings = {
	.uid_range = { SANDBOXES, 65536 },
	.own_uid = OPERATOR,
};

static struct tmpdir tmp;
static char path[128];
static size_t asked;

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *room,
    size_t size, struct passwd **ret);
int
__wrap_getpwnam_r(const char *name, struct passwd *entry, char *room,
    size_t size, struct passwd **ret)
{
	static const struct {
		const char *name;
		uid_t uid;
	} accounts[] = { { "root", 0 }, { "op", OPERATOR }, { "alice", ALICE },
		{ "bob", BOB } };

	(void)room, (void)size;
	asked++;
	*ret = NULL;
	for (size_t i = 0; i < LENGTH(accounts); i++) {
		if (strcmp(accounts[i].name, name) == 0) {
			entry->pw_uid = accounts[i].uid;
			*ret = entry;
		}
	}
	return 0;
}

static void
write_subuid(const char *text)
{
	assert_int_equal(
	    file_write_atomic(tmp.dir, "subuid", 0644, VIEW_STR(text), NULL),
	    SBX_OK);
}

static const struct row {
	const char *name;
	const char *subuid;
	uid_t uid, person;
} rows[] = {
	{ "no ranges at all", "", 100005, 100005 },
	{ "the first of a range", "alice:100000:65536\n", 100000, ALICE },
	{ "the last of it", "alice:100000:65536\n", 165535, ALICE },
	{ "behind it", "alice:100000:65536\n", 165536, 165536 },
	{ "before it", "alice:100000:65536\n", 99999, 99999 },
	{ "an account is itself", "alice:100000:65536\n", BOB, BOB },
	{ "a second range", "alice:1:1\nbob:7:1\nalice:300000:9\n", 300008,
	    ALICE },
	{ "by number", "1001:200000:65536\n", 200001, BOB },
	{ "two have it: the first", "bob:100000:65536\nalice:100000:65536\n",
	    100001, BOB },
	{ "a range of someone who has left", "gone:100000:65536\n", 100007,
	    100000 },
	{ "an account within another's range",
	    "alice:1001:1\nbob:100000:65536\n", 100007, ALICE },
	{ "two within each other", "alice:1001:1\nbob:1000:1\n", ALICE, ALICE },
	{ "malformed lines", "alice:100000\nalice:x:y\n:100000:9\n", 100001,
	    100001 },
	{ "a comment", "#alice:100000:65536\n", 100001, 100001 },
	{ "root's range is not root", "root:100000:65536\n", 100001, 100000 },
	{ "nor by number", "0:100000:65536\n", 100001, 100000 },
	{ "nor the operator's the operator", "op:100000:65536\n", 100001,
	    100000 },
	{ "an account that root lends", "root:1000:10\n", BOB, BOB },
	{ "root itself", "alice:0:65536\n", 0, 0 },
	{ "the operator", "alice:0:65536\n", OPERATOR, OPERATOR },
	{ "a range that begins with root", "gone:0:4000\n", BOB, BOB },
	{ "a range that begins with the operator", "root:500:200000\n", 100000,
	    100000 },
	{ "all sandboxes are one", "alice:1879048192:65536\n", SANDBOXES + 4711,
	    SANDBOXES },
	{ "behind the sandboxes", "", SANDBOXES + 65536, SANDBOXES + 65536 },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct persons *persons;

	write_subuid(row->subuid);
	assert_int_equal(persons_new(&settings, path, &persons), SBX_OK);
	assert_int_equal(person_of(persons, row->uid), row->person);
	/* Nobody has a share for each of them. */
	assert_int_equal(person_of(persons, row->person), row->person);
	persons_free(persons);
}

static void
test_changes_are_seen(void **state)
{
	struct persons *persons;

	(void)state;
	(void)unlinkat(tmp.dir, "subuid", 0);
	assert_int_equal(persons_new(&settings, path, &persons), SBX_OK);
	assert_int_equal(person_of(persons, 100001), 100001);
	write_subuid("alice:100000:65536\n");
	assert_int_equal(person_of(persons, 100001), ALICE);
	write_subuid("bob:100000:65536\n");
	assert_int_equal(person_of(persons, 100001), BOB);
	(void)unlinkat(tmp.dir, "subuid", 0);
	assert_int_equal(person_of(persons, 100001), 100001);
	persons_free(persons);
}

/* It may be slow, and the door waits for it. */
static void
test_a_name_is_looked_up_once(void **state)
{
	struct persons *persons;

	(void)state;
	write_subuid("bob:9:1\nalice:100000:65536\ngone:200000:65536\n");
	assert_int_equal(persons_new(&settings, path, &persons), SBX_OK);
	asked = 0;
	assert_int_equal(person_of(persons, ALICE), ALICE);
	assert_int_equal(asked, 0);
	for (uid_t uid = 100000; uid < 100100; uid++)
		assert_int_equal(person_of(persons, uid), ALICE);
	for (uid_t uid = 200000; uid < 200100; uid++)
		assert_int_equal(person_of(persons, uid), 200000);
	assert_int_equal(asked, 2);
	persons_free(persons);
}

int
main(void)
{
	int failed;

	tmpdir_make(&tmp);
	(void)snprintf(path, sizeof(path), "%s/subuid", tmp.path);
	CASE_ROWS(rows, test_row);
	CASE(test_changes_are_seen);
	CASE(test_a_name_is_looked_up_once);
	failed = cases_run("persons");
	tmpdir_remove(&tmp);
	return failed;
}
