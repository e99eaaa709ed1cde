/* SPDX-License-Identifier: ISC */
#include "broker/life/terms.h"
#include "tests/unit/cases.h"

#define NOW 1000000
#define TICKS 5000
#define HOUR 3600

static uint64_t
now(void)
{
	return NOW;
}

static uint64_t
ticks(void)
{
	return TICKS;
}

struct row {
	const char *name;
	uint64_t created_at, max_lifetime, timeout;
	enum sbx_err want;
	uint64_t expires_at, end_ticks;
};

static const struct row rows[] = {
	{ "without an end", NOW, 0, 0, SBX_OK, 0, TICKS },
	{ "an hour", NOW, 0, HOUR, SBX_OK, NOW + HOUR, TICKS + HOUR },
	{ "an hour of an old one", NOW - 9000, 0, HOUR, SBX_OK, NOW + HOUR,
	    TICKS + HOUR },
	{ "all that it may have", NOW, HOUR, HOUR, SBX_OK, NOW + HOUR,
	    TICKS + HOUR },
	{ "a second more", NOW, HOUR, HOUR + 1, SBX_REFUSED, 1, 2 },
	{ "all that is left", NOW - 600, HOUR, HOUR - 600, SBX_OK,
	    NOW + HOUR - 600, TICKS + HOUR - 600 },
	{ "more than is left", NOW - 600, HOUR, HOUR, SBX_REFUSED, 1, 2 },
	{ "none, where there must be one", NOW - 600, HOUR, 0, SBX_OK,
	    NOW + HOUR - 600, TICKS + HOUR - 600 },
	{ "nothing is left", NOW - HOUR, HOUR, 1, SBX_REFUSED, 1, 2 },
	{ "nothing is left, none is asked for", NOW - HOUR, HOUR, 0,
	    SBX_REFUSED, 1, 2 },
	{ "it lives longer than the limit that was set since", NOW - 9000, HOUR,
	    1, SBX_REFUSED, 1, 2 },
};

static void
test_end(void **state)
{
	const struct row *row = *state;
	const struct broker_settings settings = { .max_lifetime =
						      row->max_lifetime };
	const struct broker broker = {
		.settings = &settings, .now = now, .ticks = ticks
	};
	struct sandbox s = {
		.created_at = row->created_at, .expires_at = 1, .end_ticks = 2
	};

	assert_int_equal(terms_end(&broker, &s, row->timeout, NULL), row->want);
	assert_int_equal(s.expires_at, row->expires_at);
	assert_int_equal(s.end_ticks, row->end_ticks);
}

int
main(void)
{
	CASE_ROWS(rows, test_end);
	return cases_run("terms");
}
