/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "authkeys/floor.h"
#include "authkeys/ledger.h"
#include "tests/unit/tmpdir.h"

#define NOW UINT64_C(1790000000)
#define HOUR 3600
#define CROWD 100

/*
 * Every call that touches the disk goes through here; the one that comes
 * as number "at" fails or is the last that the process makes.
 */
enum harm { HARM_NONE, HARM_KILL_BEFORE, HARM_KILL_AFTER, HARM_FAIL };

static struct {
	enum harm harm;
	int at;
	int error;
	int calls;
} fault;

#define KILLED 99

/* No folder gets to disk. */
static bool folders_fail;

/* fsync of a file or a folder, and link, in their order. */
static char trace[64];

static void
note(char what)
{
	size_t len = strlen(trace);

	if (len + 1 < sizeof(trace))
		trace[len] = what;
}

static bool
fails(void)
{
	if (++fault.calls != fault.at)
		return false;
	if (fault.harm == HARM_KILL_BEFORE)
		_exit(KILLED);
	errno = fault.error;
	return fault.harm == HARM_FAIL;
}

static long
done(long result)
{
	if (fault.calls == fault.at && fault.harm == HARM_KILL_AFTER)
		_exit(KILLED);
	return result;
}

#define WRAP(type, name, parameters, arguments)                   \
	type __real_##name parameters;                            \
	type __wrap_##name parameters;                            \
	type __wrap_##name parameters                             \
	{                                                         \
		if (fails())                                      \
			return -1;                                \
		return (type)done((long)__real_##name arguments); \
	}

WRAP(int, openat, (int dir, const char *name, int flags, mode_t mode),
    (dir, name, flags, mode))
WRAP(int, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(int, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
WRAP(int, renameat, (int dir, const char *name, int to, const char *new),
    (dir, name, to, new))
WRAP(int, flock, (int fd, int what), (fd, what))

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	struct stat st;
	bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);

	if (fails())
		return -1;
	if (folder && folders_fail) {
		errno = EIO;
		return -1;
	}
	note(folder ? 'd' : 'f');
	return (int)done(__real_fsync(fd));
}

int
__real_linkat(int dir, const char *name, int to, const char *new, int flags);
int
__wrap_linkat(int dir, const char *name, int to, const char *new, int flags);
int
__wrap_linkat(int dir, const char *name, int to, const char *new, int flags)
{
	if (fails())
		return -1;
	note('l');
	return (int)done(__real_linkat(dir, name, to, new, flags));
}

/* Never more than seven bytes at once, so that there is a middle. */
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (fault.at == 0)
		return __real_write(fd, p, n);
	if (fails())
		return -1;
	return done(__real_write(fd, p, n < 7 ? n : 7));
}

static const uint8_t ca[KEY_ED25519_LEN] = { 0xca };
static const uint8_t other_ca[KEY_ED25519_LEN] = { 0xcb };
static const struct connection alice = { "boot 1 100 5000" };
static const struct connection bob = { "boot 1 100 5001" };

static struct state
open_state(const struct tmpdir *tmpdir)
{
	struct state state = STATE_INIT;

	assert_int_equal(
	    state_open(tmpdir->path, geteuid(), &state, NULL), SBX_OK);
	return state;
}

static enum sbx_err
claim_as(const struct state *state, const struct connection *connection,
    uint64_t serial, uint64_t valid_before)
{
	struct claim claim = { ca, serial, valid_before, connection };

	return ledger_claim(state, &claim, NULL);
}

static void
raise_and_sweep(const struct state *state, uint64_t now)
{
	assert_true(state_lock(state, /* wait= */ false));
	assert_int_equal(floor_raise(state, now, NULL), SBX_OK);
	ledger_sweep(state, now);
	state_unlock(state);
}

static int
count(const struct tmpdir *tmpdir, const char *folder)
{
	char path[300];
	struct dirent *entry;
	int found = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", tmpdir->path, folder);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			found++;
	}
	(void)closedir(dir);
	return found;
}

/* One step of a story: who claims what, and with what result. */
struct step {
	const uint8_t *ca;
	uint64_t serial;
	const struct connection *who;
	uint64_t valid_before; /* from NOW */
	enum sbx_err want;
};

#define STEPS_MAX 4

static const struct row {
	const char *name;
	struct step step[STEPS_MAX];
} rows[] = {
	{ "threat 19: query, then signed request, on one connection",
	    { { ca, 7, &alice, 60, SBX_OK }, { ca, 7, &alice, 60, SBX_OK } } },
	{ "threat 20: second connection",
	    { { ca, 7, &alice, 60, SBX_OK }, { ca, 7, &bob, 60, SBX_USED },
		{ ca, 7, &alice, 60, SBX_OK },
		{ ca, 7, &bob, 60, SBX_USED } } },
	{ "threat 21: the same process id, started at another time",
	    { { ca, 7, &alice, 60, SBX_OK }, { ca, 7, &bob, 60, SBX_USED } } },
	{ "threat 22: a stranger's query takes it, but not the next one",
	    { { ca, 7, &bob, 60, SBX_OK }, { ca, 7, &alice, 60, SBX_USED },
		{ ca, 8, &alice, 60, SBX_OK } } },
	{ "other serial",
	    { { ca, 7, &alice, 60, SBX_OK }, { ca, 8, &bob, 60, SBX_OK } } },
	{ "same serial of another CA",
	    { { ca, 7, &alice, 60, SBX_OK },
		{ other_ca, 7, &bob, 60, SBX_OK } } },
	{ "same serial with another end",
	    { { ca, 7, &alice, 60, SBX_OK },
		{ ca, 7, &bob, 2 * HOUR, SBX_USED } } },
	{ "largest serial",
	    { { ca, UINT64_MAX, &alice, 60, SBX_OK },
		{ ca, UINT64_MAX, &bob, 60, SBX_USED } } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **pointer)
{
	const struct row *row = *pointer;
	struct tmpdir tmpdir;
	struct state state;

	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	for (int i = 0; i < STEPS_MAX && row->step[i].ca != NULL; i++) {
		const struct step *step = &row->step[i];
		struct claim claim = { step->ca, step->serial,
			NOW + step->valid_before, step->who };

		assert_int_equal(
		    ledger_claim(&state, &claim, NULL), step->want);
	}
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

/* All at once; the number of those who got it. */
static int
crowd(const struct tmpdir *tmpdir, uint64_t serial, bool one_connection)
{
	int ends[2], winners = 0;

	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < CROWD; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct connection who;
			struct state state;
			char c;

			(void)snprintf(who.text, sizeof(who.text), "boot %d",
			    one_connection ? 0 : i);
			(void)close(ends[1]);
			state = open_state(tmpdir);
			if (read(ends[0], &c, 1) != 0)
				_exit(KILLED);
			_exit(claim_as(&state, &who, serial, NOW));
		}
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
	for (int i = 0; i < CROWD; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == SBX_OK)
			winners++;
		else
			assert_int_equal(WEXITSTATUS(status), SBX_USED);
	}
	return winners;
}

static void
test_hundred_connections_one_wins(void **pointer)
{
	struct tmpdir tmpdir;

	(void)pointer;
	tmpdir_make(&tmpdir);
	for (uint64_t serial = 1; serial <= 10; serial++)
		assert_int_equal(crowd(&tmpdir, serial, false), 1);
	assert_int_equal(count(&tmpdir, "claims"), 10);
	tmpdir_remove(&tmpdir);
}

static void
test_hundred_runs_of_one_connection(void **pointer)
{
	struct tmpdir tmpdir;

	(void)pointer;
	tmpdir_make(&tmpdir);
	assert_int_equal(crowd(&tmpdir, 1, true), CROWD);
	assert_int_equal(count(&tmpdir, "claims"), 1);
	tmpdir_remove(&tmpdir);
}

/* What a run of the gate does, with the harm that was set. */
static int
run_harmed(const struct tmpdir *tmpdir, enum harm harm, int at, int error)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct state state = open_state(tmpdir);
		enum sbx_err err = SBX_OK;

		fault.harm = harm;
		fault.at = at;
		fault.error = error;
		fault.calls = 0;
		if (state_lock(&state, /* wait= */ false)) {
			err = floor_raise(&state, NOW, NULL);
			if (err == SBX_OK)
				ledger_sweep(&state, NOW);
			state_unlock(&state);
		}
		if (err == SBX_OK)
			err = claim_as(&state, &alice, 7, NOW + 60);
		/* Nothing was harmed any more: the end of the series. */
		if (fault.calls < at)
			_exit(err == SBX_OK ? KILLED + 1 : KILLED + 2);
		_exit((int)err);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/*
 * After it the other connection comes first, or the same one: at most one of
 * them has it, and the same one is not kept out by itself, unless the disk
 * failed and told so.
 */
static void
check_aftermath(int result, const struct tmpdir *tmpdir, bool other_first)
{
	struct state state = open_state(tmpdir);
	enum sbx_err other, same;

	if (other_first) {
		other = claim_as(&state, &bob, 7, NOW + 60);
		same = claim_as(&state, &alice, 7, NOW + 60);
	} else {
		same = claim_as(&state, &alice, 7, NOW + 60);
		other = claim_as(&state, &bob, 7, NOW + 60);
		if (result != SBX_IO)
			assert_int_equal(same, SBX_OK);
	}
	if (result == SBX_OK)
		assert_int_equal(same, SBX_OK);
	assert_true((same == SBX_OK && other == SBX_USED) ||
	    (same == SBX_USED && other == SBX_OK) ||
	    (same == SBX_USED && other == SBX_USED && result == SBX_IO));
	/* And what was left lying is swept away in the end. */
	raise_and_sweep(&state, NOW + 2 * HOUR);
	assert_int_equal(count(tmpdir, "claims"), 0);
	assert_int_equal(count(tmpdir, "expiry"), 0);
	state_close(&state);
}

/* An expired claim lies there, so that the sweep has something to do. */
static int
harm_once(enum harm harm, int at, int error, bool other_first)
{
	struct tmpdir tmpdir;
	struct state state;
	int result;

	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	assert_int_equal(claim_as(&state, &bob, 1, NOW - 3 * HOUR), SBX_OK);
	state_close(&state);
	result = run_harmed(&tmpdir, harm, at, error);
	assert_int_not_equal(result, KILLED + 2);
	if (result != KILLED + 1)
		check_aftermath(result, &tmpdir, other_first);
	tmpdir_remove(&tmpdir);
	return result;
}

static void
harm_everywhere(enum harm harm, int error)
{
	int at = 0, hurt = 0, result;

	do {
		at++;
		result = harm_once(harm, at, error, false);
		assert_int_equal(harm_once(harm, at, error, true) == KILLED + 1,
		    result == KILLED + 1);
		if (result != SBX_OK)
			hurt++;
	} while (result != KILLED + 1);
	/* The calls really are caught. */
	assert_true(at > 30);
	assert_true(hurt > 15);
}

static void
test_killed_before_each_call(void **state)
{
	(void)state;
	harm_everywhere(HARM_KILL_BEFORE, 0);
}

static void
test_killed_after_each_call(void **state)
{
	(void)state;
	harm_everywhere(HARM_KILL_AFTER, 0);
}

static void
test_disk_full_at_each_call(void **state)
{
	(void)state;
	harm_everywhere(HARM_FAIL, ENOSPC);
}

static void
test_disk_broken_at_each_call(void **state)
{
	(void)state;
	harm_everywhere(HARM_FAIL, EIO);
}

/* Its bytes first, then its name; also when another run made it. */
static void
test_is_on_disk_when_it_counts(void **pointer)
{
	struct tmpdir tmpdir;
	struct state state;

	(void)pointer;
	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	memset(trace, 0, sizeof(trace));
	assert_int_equal(claim_as(&state, &alice, 7, NOW), SBX_OK);
	assert_string_equal(trace, "fldd");
	memset(trace, 0, sizeof(trace));
	assert_int_equal(claim_as(&state, &alice, 7, NOW), SBX_OK);
	assert_string_equal(trace, "dd");
	memset(trace, 0, sizeof(trace));
	assert_int_equal(floor_raise(&state, NOW, NULL), SBX_OK);
	assert_string_equal(trace, "fd");
	memset(trace, 0, sizeof(trace));
	ledger_sweep(&state, NOW + 2 * HOUR);
	assert_string_equal(trace, "d");
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

/*
 * The kernel says only once that it failed: who comes back must not be let in
 * by a claim that may be lost, after which another would get it too.
 */
static void
test_not_on_disk_is_nobodys(void **pointer)
{
	struct tmpdir tmpdir;
	struct state state;

	(void)pointer;
	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	assert_int_equal(claim_as(&state, &alice, 8, NOW), SBX_OK);
	folders_fail = true;
	assert_int_equal(claim_as(&state, &alice, 7, NOW), SBX_IO);
	assert_int_equal(claim_as(&state, &alice, 8, NOW), SBX_IO);
	folders_fail = false;
	for (uint64_t serial = 7; serial <= 8; serial++) {
		assert_int_equal(
		    claim_as(&state, &alice, serial, NOW), SBX_USED);
		assert_int_equal(claim_as(&state, &bob, serial, NOW), SBX_USED);
	}
	raise_and_sweep(&state, NOW + 2 * HOUR);
	assert_int_equal(count(&tmpdir, "claims"), 0);
	assert_int_equal(count(&tmpdir, "expiry"), 0);
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

/* The floor has passed the certificate's end since it was judged. */
static void
test_swept_away_meanwhile(void **pointer)
{
	struct tmpdir tmpdir;
	struct state state;

	(void)pointer;
	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	assert_int_equal(claim_as(&state, &alice, 7, NOW), SBX_OK);
	raise_and_sweep(&state, NOW + 2 * HOUR);
	assert_int_equal(count(&tmpdir, "claims"), 0);
	assert_int_equal(claim_as(&state, &bob, 7, NOW), SBX_EXPIRED);
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

static void
test_sweep_leaves_what_may_still_be_used(void **pointer)
{
	const uint64_t hour = NOW / HOUR * HOUR;
	struct tmpdir tmpdir;
	struct state state;

	(void)pointer;
	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	assert_int_equal(claim_as(&state, &alice, 1, hour - 1), SBX_OK);
	assert_int_equal(claim_as(&state, &alice, 2, hour), SBX_OK);
	assert_int_equal(claim_as(&state, &alice, 3, hour + HOUR), SBX_OK);
	raise_and_sweep(&state, hour - 1);
	assert_int_equal(count(&tmpdir, "claims"), 3);
	raise_and_sweep(&state, hour);
	assert_int_equal(count(&tmpdir, "claims"), 2);
	raise_and_sweep(&state, hour + HOUR - 1);
	assert_int_equal(count(&tmpdir, "claims"), 2);
	assert_int_equal(claim_as(&state, &bob, 3, hour + HOUR), SBX_USED);
	raise_and_sweep(&state, hour + HOUR);
	assert_int_equal(count(&tmpdir, "claims"), 1);
	assert_int_equal(count(&tmpdir, "expiry"), 1);
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

static void
test_sweep_is_bounded(void **pointer)
{
	struct tmpdir tmpdir;
	struct state state;
	int left = 3 * LEDGER_SWEEP_MAX;

	(void)pointer;
	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	for (int i = 0; i < left; i++)
		assert_int_equal(
		    claim_as(&state, &alice, (uint64_t)i + 1, NOW), SBX_OK);
	while (left > 0) {
		raise_and_sweep(&state, NOW + 2 * HOUR);
		left -= LEDGER_SWEEP_MAX;
		assert_int_equal(count(&tmpdir, "claims"), left);
	}
	raise_and_sweep(&state, NOW + 3 * HOUR);
	assert_int_equal(count(&tmpdir, "expiry"), 0);
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

/* An entry that lost, and whose run was killed, is not the claim. */
static void
test_sweep_of_a_lost_entry(void **pointer)
{
	char entry[400], claim[300], *name = claim + strlen("claims/");
	struct tmpdir tmpdir;
	struct state state;
	int fd;

	(void)pointer;
	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	assert_int_equal(claim_as(&state, &alice, 7, NOW + 5 * HOUR), SBX_OK);
	(void)snprintf(claim, sizeof(claim), "claims/ca%062d-%016d", 0, 7);
	assert_int_equal(faccessat(state.dir, claim, F_OK, 0), 0);
	(void)snprintf(entry, sizeof(entry), "expiry/%d/%s.%016d",
	    (int)(NOW / HOUR), name, 1);
	(void)snprintf(claim, sizeof(claim), "expiry/%d", (int)(NOW / HOUR));
	assert_int_equal(mkdirat(state.dir, claim, 0700), 0);
	fd = openat(state.dir, entry, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	raise_and_sweep(&state, NOW + 2 * HOUR);
	assert_int_equal(count(&tmpdir, "expiry"), 1);
	assert_int_equal(claim_as(&state, &bob, 7, NOW + 5 * HOUR), SBX_USED);
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

static void
test_claim_that_is_damaged(void **pointer)
{
	char claim[300];
	struct tmpdir tmpdir;
	struct state state;
	int fd;

	(void)pointer;
	tmpdir_make(&tmpdir);
	state = open_state(&tmpdir);
	assert_int_equal(claim_as(&state, &alice, 7, NOW), SBX_OK);
	(void)snprintf(claim, sizeof(claim), "claims/ca%062d-%016d", 0, 7);
	fd = openat(state.dir, claim, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(claim_as(&state, &alice, 7, NOW), SBX_USED);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(claim_as(&state, &alice, 7, NOW), SBX_USED);
	(void)close(fd);
	state_close(&state);
	tmpdir_remove(&tmpdir);
}

static const struct CMUnitTest others[] = {
	{ "threat 20: a hundred connections, one wins",
	    test_hundred_connections_one_wins, NULL, NULL, NULL },
	{ "threat 19: a hundred runs of one connection",
	    test_hundred_runs_of_one_connection, NULL, NULL, NULL },
	{ "threat 25: killed before each call", test_killed_before_each_call,
	    NULL, NULL, NULL },
	{ "threat 25: killed after each call", test_killed_after_each_call,
	    NULL, NULL, NULL },
	{ "threat 25: disk full at each call", test_disk_full_at_each_call,
	    NULL, NULL, NULL },
	{ "threat 25: disk broken at each call", test_disk_broken_at_each_call,
	    NULL, NULL, NULL },
	{ "threat 25: on disk when it counts", test_is_on_disk_when_it_counts,
	    NULL, NULL, NULL },
	{ "threat 25: a claim that is not on disk is nobody's",
	    test_not_on_disk_is_nobodys, NULL, NULL, NULL },
	{ "threat 26: swept away meanwhile", test_swept_away_meanwhile, NULL,
	    NULL, NULL },
	cmocka_unit_test(test_sweep_leaves_what_may_still_be_used),
	cmocka_unit_test(test_sweep_is_bounded),
	cmocka_unit_test(test_sweep_of_a_lost_entry),
	cmocka_unit_test(test_claim_that_is_damaged),
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
	return cmocka_run_group_tests(tests, NULL, NULL);
}
