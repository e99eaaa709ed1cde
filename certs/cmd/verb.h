/* SPDX-License-Identifier: ISC */
/*
 * What the verbs of sandbox-cert do alike: take the command line apart, run,
 * and say in one line what went wrong.
 */
#ifndef SBX_CERTS_VERB_H
#define SBX_CERTS_VERB_H

#include <limits.h>

#include "common/opt.h"

/* A row in a table of options; a verb's own are a struct options. */
#define VERB_ROW(letter_, arg_, name_, parse_, member_, ...)         \
	{                                                            \
		letter_, arg_,                                       \
		{                                                    \
			.name = name_, .parse = parse_,              \
			.offset = offsetof(struct options, member_), \
			__VA_ARGS__                                  \
		}                                                    \
	}

#define VERB_ONE_FILE          \
	{                      \
		1, 1, "a file" \
	}
#define VERB_NONE          \
	{                  \
		0, 0, NULL \
	}
#define VERB_ANY                 \
	{                        \
		0, INT_MAX, NULL \
	}

struct verb {
	const struct usage *usage;
	struct operands operands;
	/* The operands end with NULL; SBX_USAGE if they are wrong. */
	enum sbx_err (*run)(
	    void *options, char *const operands[], struct sbx_why *why);
	/*
	 * NULL, or what gives the options values that the command line, which
	 * was taken into them before, is then taken over once more.
	 */
	enum sbx_err (*prepare)(void *options, struct sbx_why *why);
};

/* Returns the exit status. */
int verb_run(const struct verb *verb, int argc, char **argv, void *options);

#endif
