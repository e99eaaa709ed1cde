/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "broker/life/reaper.h"

#define NOW 1000
#define RESISTING 32
#define STOPPERS 6 /* at once for one owner, in reaper.c */
#define MANY 300   /* more than the store hands out at once */

/* What the reaper takes for the present: ahead by this. */
static _Atomic time_t ahead;

int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int
__wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	int result = __real_clock_gettime(id, ret);

	ret->tv_sec += ahead;
	return result;
}

/* What the steps have done, and who wants to know it. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool hung; /* removals of "hang-...", stops of "wait-...", do not end */
	bool one_goes; /* "hang-1" does end */
	size_t asked, stopped, removed, resisted, told, hanging, waiting, swept;
	enum sbx_err sweep; /* what comes of one */
	bool early;	    /* removed before it was stopped */
	bool unasked;	    /* stopped before it was asked to end */
	bool taken;	    /* "taken" cannot be asked */
	char was_asked[MANY][NAME_ID_MAX + 1];
	size_t resisted_before; /* when "z-another" was removed */
	char was_stopped[MANY][NAME_ID_MAX + 1];
} seen = { .mutex = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER };

static char folder[] = "/tmp/test_reaper.XXXXXX";
static const struct broker_settings settings = { .max_event_age = 86400 };
static struct broker broker;
static struct reaper *reaper;

static uint64_t present;
static uint64_t jumped; /* by so much Unix time is ahead of what has passed */

static uint64_t
now(void)
{
	return present + jumped;
}

static uint64_t
ticks(void)
{
	return present - NOW;
}

/* Under the mutex. */
static bool
is_in(char (*list)[NAME_ID_MAX + 1], size_t count, const char *id)
{
	for (size_t i = 0; i < count && i < MANY; i++) {
		if (strcmp(list[i], id) == 0)
			return true;
	}
	return false;
}

static void
quit(struct broker *b, const char *const *ids, size_t count, enum sbx_err *ret)
{
	(void)pthread_mutex_lock(&seen.mutex);
	for (size_t i = 0; i < count; i++) {
		struct sandbox s;

		/* A round may have seen it just before it was removed. */
		ret[i] = store_get(b->store, ids[i], &s, NULL);
		if (seen.taken && strcmp(ids[i], "taken") == 0)
			ret[i] = SBX_STATE;
		if (ret[i] == SBX_OK)
			(void)snprintf(seen.was_asked[seen.asked++ % MANY],
			    NAME_ID_MAX + 1, "%s", ids[i]);
	}
	(void)pthread_cond_broadcast(&seen.changed);
	(void)pthread_mutex_unlock(&seen.mutex);
}

static enum sbx_err
stop(struct broker *b, const char *id, struct sbx_why *why)
{
	(void)b, (void)why;
	(void)pthread_mutex_lock(&seen.mutex);
	(void)snprintf(
	    seen.was_stopped[seen.stopped++], NAME_ID_MAX + 1, "%s", id);
	seen.waiting += strncmp(id, "wait", 4) == 0;
	seen.unasked |= !is_in(seen.was_asked, seen.asked, id);
	(void)pthread_cond_broadcast(&seen.changed);
	while (seen.hung && strncmp(id, "wait", 4) == 0)
		(void)pthread_cond_wait(&seen.changed, &seen.mutex);
	(void)pthread_mutex_unlock(&seen.mutex);
	return SBX_OK;
}

static enum sbx_err
remove_it(struct broker *b, const char *id, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	(void)pthread_mutex_lock(&seen.mutex);
	seen.early |= !is_in(seen.was_stopped, seen.stopped, id);
	if (seen.hung && strncmp(id, "hang", 4) == 0) {
		seen.hanging++;
		(void)pthread_cond_broadcast(&seen.changed);
	}
	while (seen.hung && strncmp(id, "hang", 4) == 0 &&
	    !(seen.one_goes && strcmp(id, "hang-1") == 0))
		(void)pthread_cond_wait(&seen.changed, &seen.mutex);
	if (strncmp(id, "resist", 6) == 0) {
		seen.resisted++;
		err = sbx_fail(why, SBX_UNAVAILABLE, "no");
	} else {
		err = store_remove(b->store, id, /* event= */ NULL, why);
		seen.removed++;
		if (strcmp(id, "z-another") == 0)
			seen.resisted_before = seen.resisted;
	}
	(void)pthread_cond_broadcast(&seen.changed);
	(void)pthread_mutex_unlock(&seen.mutex);
	return err;
}

static enum sbx_err
sweep(struct broker *b, const char *id, struct sbx_why *why)
{
	enum sbx_err err;

	(void)b, (void)why;
	(void)pthread_mutex_lock(&seen.mutex);
	seen.swept += *id == '\0';
	err = seen.sweep;
	(void)pthread_cond_broadcast(&seen.changed);
	(void)pthread_mutex_unlock(&seen.mutex);
	return err;
}

static void
on_resisting(
    const char *id, unsigned delay, enum sbx_err err, const struct sbx_why *why)
{
	(void)err, (void)why;
	(void)pthread_mutex_lock(&seen.mutex);
	seen.told += strncmp(id, "resist", 6) == 0 && delay >= 10;
	(void)pthread_cond_broadcast(&seen.changed);
	(void)pthread_mutex_unlock(&seen.mutex);
}

static void
wait_until(const size_t *number, size_t want)
{
	(void)pthread_mutex_lock(&seen.mutex);
	while (*number < want)
		(void)pthread_cond_wait(&seen.changed, &seen.mutex);
	(void)pthread_mutex_unlock(&seen.mutex);
}

static void
add_of(const char *owner, const char *id, uint64_t expires_at)
{
	struct sandbox s = { .created_at = 1, .expires_at = expires_at };

	(void)snprintf(s.id, sizeof(s.id), "%s", id);
	(void)snprintf(s.owner, sizeof(s.owner), "%s", owner);
	(void)snprintf(s.person, sizeof(s.person), "%s", owner);
	(void)snprintf(s.provider, sizeof(s.provider), "local");
	assert_int_equal(store_add(broker.store, &s, 1000, NULL), SBX_OK);
}

static void
add(const char *id, uint64_t expires_at)
{
	add_of("alice", id, expires_at);
}

/* Of long ago: "NAME-0", "NAME-1", ... */
static void
add_many(const char *name, int count)
{
	for (int i = 0; i < count; i++) {
		char id[NAME_ID_MAX + 1];

		(void)snprintf(id, sizeof(id), "%s-%d", name, i);
		add(id, 10);
	}
}

static void
say(bool *what, bool value)
{
	(void)pthread_mutex_lock(&seen.mutex);
	*what = value;
	(void)pthread_cond_broadcast(&seen.changed);
	(void)pthread_mutex_unlock(&seen.mutex);
}

static int
set_up(void **state)
{
	static const struct reaper_steps steps = { quit, stop, remove_it, NULL,
		sweep, on_resisting };
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/db", folder);
	seen.asked = seen.stopped = seen.removed = seen.resisted = seen.told =
	    0;
	seen.hanging = 0;
	seen.waiting = 0;
	seen.swept = 0;
	seen.sweep = SBX_OK;
	seen.taken = seen.unasked = false;
	seen.hung = seen.early = seen.one_goes = false;
	ahead = 0;
	present = NOW;
	jumped = 0;
	broker = (struct broker){
		.settings = &settings, .now = now, .ticks = ticks
	};
	return store_open(path, &broker.store, NULL) == SBX_OK &&
		reaper_new(&broker, &steps, &reaper) == SBX_OK
	    ? 0
	    : -1;
}

static int
tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	bool over = reaper_end(reaper, 60);

	(void)state;
	store_close(broker.store);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "%s/db%s", folder, ends[i]);
		(void)unlink(path);
	}
	return over && !seen.early && !seen.unasked ? 0 : -1;
}

static void
test_only_what_has_ended(void **state)
{
	struct sandbox s;

	(void)state;
	add("over", NOW);
	add("not-yet", NOW + 1);
	add("endless", 0);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 1);
	assert_int_equal(seen.stopped, 1);
	assert_int_equal(store_get(broker.store, "not-yet", &s, NULL), SBX_OK);
	assert_int_equal(store_get(broker.store, "endless", &s, NULL), SBX_OK);
}

/* As many as were looked at in one round, and older. */
static void
test_who_resists_holds_up_nobody(void **state)
{
	(void)state;
	add_many("resist", RESISTING);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.told, RESISTING);
	add("z-another", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 1);
	/* Those rest for ten seconds at least. */
	assert_int_equal(seen.resisted, RESISTING);
}

/* Though they were to be tried again before it came. */
static void
test_who_never_failed_is_first(void **state)
{
	(void)state;
	add_many("resist", RESISTING);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.told, RESISTING);
	/* Both who remove are busy until all the others wait. */
	say(&seen.hung, true);
	add("hang-1", NOW);
	add("hang-2", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.hanging, 2);
	ahead = 60;
	add("z-another", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.stopped, RESISTING + 3);
	/* Once all who stop are busy again, it is known to be stopped. */
	add_many("wait", STOPPERS);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.waiting, STOPPERS);
	/* One who removes goes on alone, and has the choice. */
	say(&seen.one_goes, true);
	wait_until(&seen.removed, 2);
	assert_int_equal(seen.resisted_before, RESISTING);
	say(&seen.hung, false);
}

static enum sbx_err
certify(const struct certificate *certificate)
{
	uint64_t free_at;

	return store_add_certificate(
	    broker.store, certificate, NULL, &free_at, NULL);
}

/* The floor of an id that was used before, when one comes after it. */
static uint64_t
floor_of(const char *id)
{
	struct sandbox s = { .created_at = 1 };

	(void)snprintf(s.id, sizeof(s.id), "%s", id);
	(void)snprintf(s.owner, sizeof(s.owner), "alice");
	(void)snprintf(s.provider, sizeof(s.provider), "local");
	assert_int_equal(store_add(broker.store, &s, 1000, NULL), SBX_OK);
	assert_int_equal(store_remove(broker.store, id, NULL, NULL), SBX_OK);
	return s.issued_after;
}

/* Not before no certificate of then can be good. */
static void
test_what_is_over_is_forgotten(void **state)
{
	const struct certificate c = { .serial = 1,
		.id = "run-1",
		.caller = "alice",
		.key_id = "alice/run-1/1",
		.valid_after = NOW,
		.valid_before = NOW + 3600 };
	const struct certificate lives = { .serial = 2,
		.id = "run-2",
		.caller = "alice",
		.key_id = "alice/run-2/2",
		.valid_after = NOW,
		.valid_before = NOW + 3600 };

	(void)state;
	add("run-1", 0);
	add("run-2", 0);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	assert_int_equal(certify(&c), SBX_OK);
	assert_int_equal(certify(&lives), SBX_OK);
	assert_int_equal(
	    store_remove(broker.store, "run-1", NULL, NULL), SBX_OK);
	present = NOW + 6 * 86400;
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	assert_int_equal(floor_of("run-1"), NOW + 1);
	assert_int_equal(certify(&lives), SBX_EXISTS);
	present = NOW + 8 * 86400;
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	assert_int_equal(floor_of("run-1"), 0);
	assert_int_equal(certify(&lives), SBX_OK);
}

/* A clock that is wrong for a while removes and forgets nothing. */
static void
test_a_clock_that_jumps(void **state)
{
	struct sandbox s = { .id = "run-1",
		.owner = "alice",
		.provider = "local",
		.created_at = NOW,
		.expires_at = NOW + 7200,
		.end_ticks = 7200 };
	const struct certificate c = { .serial = 1,
		.id = "gone",
		.caller = "alice",
		.key_id = "alice/gone/1",
		.valid_after = NOW,
		.valid_before = NOW + 3600 };

	(void)state;
	assert_int_equal(store_add(broker.store, &s, 1000, NULL), SBX_OK);
	add("gone", 0);
	assert_int_equal(certify(&c), SBX_OK);
	assert_int_equal(
	    store_remove(broker.store, "gone", NULL, NULL), SBX_OK);
	/* 30 days ahead for 50 minutes. */
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	jumped = 30 * 86400;
	for (int minute = 0; minute < 50; minute++) {
		assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
		present += 60;
	}
	jumped = 0;
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	assert_int_equal(seen.stopped, 0);
	assert_int_equal(store_get(broker.store, "run-1", &s, NULL), SBX_OK);
	assert_int_equal(floor_of("gone"), NOW + 1);
	/* Its time comes by both clocks. */
	present = NOW + 7200;
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 1);
}

/* What comes under the same name is not what was removed. */
static void
test_who_comes_back_is_stopped_again(void **state)
{
	(void)state;
	add("over", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 1);
	add("over", NOW);
	/* The worker may still have to note that it is done. */
	for (bool again = false; !again;) {
		assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
		(void)pthread_mutex_lock(&seen.mutex);
		again = seen.stopped >= 2;
		(void)pthread_mutex_unlock(&seen.mutex);
	}
	wait_until(&seen.removed, 2);
}

static void
test_more_than_a_page(void **state)
{
	(void)state;
	add_many("over", MANY);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, MANY);
}

static void
test_a_slow_removal_holds_up_no_stop(void **state)
{
	(void)state;
	say(&seen.hung, true);
	add_many("hang", 8);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.stopped, 8);
	/* Both who remove are busy. */
	wait_until(&seen.hanging, 2);
	add("z-another", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.stopped, 9);
	assert_int_equal(seen.removed, 0);
	say(&seen.hung, false);
	wait_until(&seen.removed, 9);
}

/* However many of one owner's do not end. */
static void
test_owners_take_turns(void **state)
{
	(void)state;
	say(&seen.hung, true);
	add_many("wait", 24);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.waiting, STOPPERS);
	add_of("bob", "bobs", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 1);
	assert_int_equal(seen.stopped, STOPPERS + 1);
	say(&seen.hung, false);
	wait_until(&seen.removed, 25);
}

/* Many more than there are threads, and none of them ends. */
static void
test_all_are_asked_before_any_is_waited_for(void **state)
{
	(void)state;
	say(&seen.hung, true);
	add_many("wait", MANY - 100);
	for (int i = 0; i < 100; i++) {
		char id[NAME_ID_MAX + 1];

		(void)snprintf(id, sizeof(id), "waits-%d", i);
		add_of("bob", id, NOW);
	}
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.asked, MANY);
	assert_int_equal(seen.removed, 0);
	/* None was asked twice, and none waited for who was not asked. */
	assert_int_equal(seen.asked, MANY);
	assert_false(seen.unasked);
	say(&seen.hung, false);
	wait_until(&seen.removed, MANY);
}

/* A turn that somebody has: again a second later, and no other waits. */
static void
test_one_that_somebody_works_on(void **state)
{
	(void)state;
	add("taken", NOW);
	add("over", NOW);
	(void)pthread_mutex_lock(&seen.mutex);
	seen.taken = true;
	(void)pthread_mutex_unlock(&seen.mutex);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 1);
	assert_false(seen.unasked);
	say(&seen.taken, false);
	ahead = 2;
	/* Whoever waits for a time looks at the clock again. */
	add("another", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 3);
}

/* Any sandboxes of any owners: each is asked, stopped and removed, in turn. */
static void
test_order(void **state)
{
	unsigned random = 1;

	(void)state;
	for (size_t all = 0; all < MANY; all += 10) {
		for (size_t i = 0; i < 10; i++) {
			char id[NAME_ID_MAX + 1], owner[16];

			random = random * 1103515245 + 12345;
			(void)snprintf(id, sizeof(id), "any-%zu", all + i);
			(void)snprintf(owner, sizeof(owner), "owner-%u",
			    random / 65536 % 10);
			add_of(owner, id, NOW - random / 65536 % 900);
		}
		assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	}
	wait_until(&seen.removed, MANY);
	assert_int_equal(seen.asked, MANY);
	assert_int_equal(seen.stopped, MANY);
	assert_false(seen.unasked);
}

/* When the next round is due, by both clocks. */
static void
test_next(void **state)
{
	static const struct {
		uint64_t expires_at, end_ticks, want;
	} steps[] = {
		{ 0, 0, REAPER_INTERVAL },
		{ NOW + 100, 100, REAPER_INTERVAL },
		{ NOW + 4, 4, 4 },
		{ NOW + 1, 3, 3 },
		{ NOW + 2, 1, 2 },
		{ NOW + 1, 1, 1 },
		{ NOW, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct sandbox s = { .owner = "alice",
			.provider = "local",
			.created_at = 1,
			.expires_at = steps[i].expires_at,
			.end_ticks = steps[i].end_ticks };

		(void)snprintf(s.id, sizeof(s.id), "run-%zu", i);
		assert_int_equal(
		    store_add(broker.store, &s, 1000, NULL), SBX_OK);
		assert_int_equal(reaper_next(reaper), steps[i].want);
		assert_int_equal(
		    store_remove(broker.store, s.id, NULL, NULL), SBX_OK);
	}
}

/* Nor does it matter how many of one owner's are slow to remove. */
static void
test_owners_take_turns_in_removal(void **state)
{
	(void)state;
	say(&seen.hung, true);
	add_many("hang", 8);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.hanging, 2);
	add_of("bob", "bobs", NOW);
	assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
	wait_until(&seen.removed, 1);
	assert_int_equal(seen.hanging, 2);
	say(&seen.hung, false);
	wait_until(&seen.removed, 9);
}

/* Let time pass until it was swept so often; how long that took. */
static time_t
pass_until_swept(size_t times, time_t step)
{
	static size_t made;
	time_t before = ahead;
	bool done = false;

	while (!done) {
		char id[NAME_ID_MAX + 1];

		ahead += step;
		/* Whoever waits for a time looks at the clock again. */
		(void)snprintf(id, sizeof(id), "over-%zu", made++);
		add(id, NOW);
		assert_int_equal(reaper_round(reaper, NULL), SBX_OK);
		(void)pthread_mutex_lock(&seen.mutex);
		while (seen.removed < seen.stopped || seen.stopped == 0)
			(void)pthread_cond_wait(&seen.changed, &seen.mutex);
		done = seen.swept >= times;
		(void)pthread_mutex_unlock(&seen.mutex);
	}
	return ahead - before;
}

/* At once, and now and then; soon where one was cut short. */
static void
test_sweeping(void **state)
{
	(void)state;
	wait_until(&seen.swept, 1);
	(void)pthread_mutex_lock(&seen.mutex);
	seen.sweep = SBX_UNAVAILABLE;
	(void)pthread_mutex_unlock(&seen.mutex);
	assert_true(pass_until_swept(2, 50) >= 600);
	assert_true(pass_until_swept(3, 2) < 500);
	assert_int_equal(seen.told, 0);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		FRESH(test_only_what_has_ended),
		FRESH(test_who_resists_holds_up_nobody),
		FRESH(test_who_never_failed_is_first),
		FRESH(test_more_than_a_page),
		FRESH(test_what_is_over_is_forgotten),
		FRESH(test_a_clock_that_jumps),
		FRESH(test_who_comes_back_is_stopped_again),
		FRESH(test_a_slow_removal_holds_up_no_stop),
		FRESH(test_owners_take_turns),
		FRESH(test_owners_take_turns_in_removal),
		FRESH(test_all_are_asked_before_any_is_waited_for),
		FRESH(test_one_that_somebody_works_on),
		FRESH(test_order),
		FRESH(test_next),
		FRESH(test_sweeping),
	};

	/* What is waited for never comes if the reaper is wrong. */
	(void)alarm(120);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
