/* SPDX-License-Identifier: ISC */
/*
 * The list of test cases of one test program.  A table of rows, each with a
 * member "name", becomes one named test a row.  Included by tests only,
 * after what cmocka.h needs.
 */
#ifndef SBX_TESTS_CASES_H
#define SBX_TESTS_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define CASES_MAX 512
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct CMUnitTest cases[CASES_MAX];
static size_t case_count;

static inline void
case_add(const char *name, CMUnitTestFunction test, const void *row)
{
	if (case_count == CASES_MAX)
		abort();
	cases[case_count++] = (struct CMUnitTest){ name, test, NULL, NULL,
		(void *)(uintptr_t)row };
}

#define CASE(test) case_add(#test, test, NULL)
#define CASE_ROWS(rows, test)                              \
	for (size_t row_ = 0; row_ < LENGTH(rows); row_++) \
	case_add((rows)[row_].name, test, &(rows)[row_])

static inline int
cases_run(const char *group)
{
	return _cmocka_run_group_tests(group, cases, case_count, NULL, NULL);
}

#endif
