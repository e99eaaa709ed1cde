/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "common/cleanup.h"
#include "proxycmd/dial/attempt.h"
#include "proxycmd/dial/kind.h"

#define ATTEMPTS_MAX 32 /* under way at the same time */
/* Beside them each endpoint may have its name looked up. */
#define RUNNERS_MAX (ATTEMPTS_MAX + DIAL_ENDPOINTS)

/* One endpoint: its addresses, and how far they were tried. */
struct lane {
	const struct endpoint *endpoint;
	struct address_list list; /* one of no length if it needs none */
	size_t next;		  /* of the list */
	struct deadline due;	  /* of the next one, unless all failed */
	size_t under_way;	  /* attempts, a lookup included */
	bool started;
};

struct runner {
	struct lane *lane;
	bool is_lookup;
	struct attempt attempt;
};

struct race {
	const struct dial_setup *setup;
	struct lane lanes[DIAL_ENDPOINTS];
	size_t lane_count;
	struct deadline due; /* of the next lane */
	struct runner *runners[RUNNERS_MAX];
	size_t runner_count;
	enum sbx_err err;
	struct sbx_why *why;
	struct runner *winner;
};

static void
end_runner(struct race *race, size_t i)
{
	struct runner *r = race->runners[i];

	r->lane->under_way--;
	/* A failure makes room for the next one at once. */
	r->lane->due = deadline_in(0);
	attempt_end(&r->attempt);
	free(r);
	race->runners[i] = race->runners[--race->runner_count];
}

static bool
is_plain(enum sbx_err err)
{
	return err == SBX_UNAVAILABLE || err == SBX_TIMEOUT;
}

/*
 * What could be mended by asking the broker again decides what happens next;
 * what could not is what a person needs to read.
 */
static void
note_failure(struct race *race, const struct attempt *a)
{
	bool first = race->err == SBX_OK;
	bool telling = first || !is_plain(a->err) || a->why.text[0] == '\0';

	if (race->why != NULL &&
	    (telling || race->why->text[0] == '\0' || is_plain(race->err)))
		*race->why = a->why;
	if (first || is_plain(a->err))
		race->err = a->err;
}

static void
take_addresses(struct race *race, struct lane *lane, struct attempt *a)
{
	a->err = lookup_finish(
	    a->status, lane->endpoint->host, &lane->list, &a->why);
	if (a->err != SBX_OK) {
		note_failure(race, a);
		return;
	}
	lookup_interleave(&lane->list);
}

/* Take a step with a runner; true if it is over and gone. */
static bool
step(struct race *race, size_t i)
{
	struct runner *r = race->runners[i];
	enum step result = r->attempt.step(&r->attempt);

	if (result == STEP_WAIT)
		return false;
	if (result == STEP_DONE && !r->is_lookup) {
		race->winner = r;
		return false;
	}
	if (result == STEP_DONE)
		take_addresses(race, r->lane, &r->attempt);
	else
		note_failure(race, &r->attempt);
	end_runner(race, i);
	return true;
}

static void
start_runner(struct race *race, struct lane *lane,
    const struct address *address, attempt_step *start, bool is_lookup)
{
	struct runner *r =
	    race->runner_count == RUNNERS_MAX ? NULL : calloc(1, sizeof(*r));

	if (r == NULL) {
		race->err = SBX_NOMEM;
		return;
	}
	*r = (struct runner){ .lane = lane, .is_lookup = is_lookup };
	attempt_init(&r->attempt, lane->endpoint, race->setup, address);
	r->attempt.step = start;
	lane->due = deadline_in(DIAL_ATTEMPT);
	lane->under_way++;
	race->runners[race->runner_count++] = r;
	(void)step(race, race->runner_count - 1);
}

static void
start_lane(struct race *race, struct lane *lane)
{
	const struct endpoint *e = lane->endpoint;

	lane->started = true;
	race->due = deadline_in(DIAL_ATTEMPT);
	if (!e->kind->lookup)
		lane->list.count = 1;
	else if (lookup_numeric(e->host, e->port, &lane->list))
		lookup_interleave(&lane->list);
	else
		start_runner(race, lane, NULL, attempt_start_lookup,
		    /* is_lookup= */ true);
}

static void
start_attempt(struct race *race, struct lane *lane)
{
	start_runner(race, lane, &lane->list.item[lane->next++],
	    lane->endpoint->kind->start, /* is_lookup= */ false);
}

static bool
is_spent(const struct lane *lane)
{
	return lane->started && lane->under_way == 0 &&
	    lane->next >= lane->list.count;
}

/* Start what is due; false if there is nothing left to hope for. */
static bool
start_due(struct race *race)
{
	bool hope = false, spent = true;

	for (size_t i = 0; i < race->lane_count; i++) {
		struct lane *lane = &race->lanes[i];

		/* All before it have failed, or had their time. */
		if (!lane->started && (spent || deadline_left(race->due) == 0))
			start_lane(race, lane);
		while (race->winner == NULL && lane->started &&
		    lane->next < lane->list.count &&
		    race->runner_count < ATTEMPTS_MAX &&
		    (lane->under_way == 0 || deadline_left(lane->due) == 0))
			start_attempt(race, lane);
		if (race->winner != NULL)
			return true;
		spent = spent && is_spent(lane);
		hope = hope || !is_spent(lane);
	}
	return hope;
}

static void
not_after(struct deadline deadline, int *wait)
{
	int left = deadline_left(deadline);

	if (left < *wait)
		*wait = left;
}

/* How long to wait for those that are under way. */
static int
next_event(const struct race *race, struct deadline deadline)
{
	int wait = deadline_left(deadline);

	for (size_t i = 0; i < race->lane_count; i++) {
		const struct lane *lane = &race->lanes[i];

		if (!lane->started)
			not_after(race->due, &wait);
		else if (lane->next < lane->list.count &&
		    race->runner_count < ATTEMPTS_MAX)
			not_after(lane->due, &wait);
	}
	for (size_t i = 0; i < race->runner_count; i++) {
		const struct attempt *a = &race->runners[i]->attempt;

		if (a->again.at != 0)
			not_after(a->again, &wait);
	}
	return wait;
}

static void
step_all(struct race *race, struct pollfd *pfd)
{
	size_t i = 0;

	/* The last one takes the place of one that is gone. */
	while (i < race->runner_count && race->winner == NULL) {
		const struct attempt *a = &race->runners[i]->attempt;
		bool due = a->again.at != 0 && deadline_left(a->again) == 0;
		size_t last = race->runner_count - 1;

		if ((pfd[i].revents == 0 && !due) || !step(race, i))
			i++;
		else
			pfd[i] = pfd[last];
	}
}

static enum sbx_err
run(struct race *race, struct deadline deadline)
{
	struct pollfd pfd[RUNNERS_MAX];

	while (start_due(race)) {
		int wait = next_event(race, deadline);

		if (race->winner != NULL)
			return SBX_OK;
		if (deadline_left(deadline) == 0)
			return sbx_fail(race->why, SBX_TIMEOUT,
			    "no answer in time from %s",
			    race->lanes[0].endpoint->text);
		for (size_t i = 0; i < race->runner_count; i++) {
			const struct attempt *a = &race->runners[i]->attempt;

			pfd[i] = (struct pollfd){ a->watch, a->events, 0 };
		}
		if (poll(pfd, race->runner_count, wait) < 0)
			continue; /* a signal: nothing in pfd counts */
		step_all(race, pfd);
		if (race->winner != NULL)
			return SBX_OK;
	}
	return race->err == SBX_OK ? SBX_UNAVAILABLE : race->err;
}

enum sbx_err
dial_race(const struct endpoint *endpoints, size_t count,
    const struct dial_setup *setup, struct deadline deadline, int *ret_fd,
    struct sbx_why *why)
{
	cleanup_free struct race *race = calloc(1, sizeof(*race));
	cleanup_close int fd = -1;
	enum sbx_err err;
	int flags;

	if (race == NULL)
		return SBX_NOMEM;
	if (count > DIAL_ENDPOINTS)
		return SBX_INTERNAL;
	race->setup = setup;
	race->why = why;
	race->due = deadline_in(0);
	race->lane_count = count;
	for (size_t i = 0; i < count; i++)
		race->lanes[i].endpoint = &endpoints[i];
	err = run(race, deadline);
	if (err == SBX_OK)
		fd = steal_fd(&race->winner->attempt.fd);
	while (race->runner_count > 0)
		end_runner(race, 0);
	if (err != SBX_OK)
		return err;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return sbx_fail(why, SBX_IO, "cannot use the connection: %s",
		    strerror(errno));
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}
