/* SPDX-License-Identifier: ISC */
/*
 * Command lines: a table of options feeds getopt_long(3) and the text of
 * --help; a table of commands gives dispatch and usage.  --help and
 * --version exist everywhere and need no row.
 */
#ifndef SBX_OPT_H
#define SBX_OPT_H

#include <stdio.h>

#include "common/field.h"

#define OPT_MAX 32

struct opt {
	char letter;	    /* 0: long form only */
	const char *arg;    /* "FILE" in the help; NULL: takes none */
	struct field field; /* field.name is the long form */
};

struct command {
	const char *name; /* "issue" */
	const char *args; /* "[options] FILE"; "" for none */
	const char *help; /* a few words, no full stop */
	/* argv[0] is the command's name; returns the exit status */
	int (*run)(int argc, char **argv);
};

/*
 * What a program or a command says of itself.  options and commands may be
 * NULL; stop_at_first leaves "--" and what follows the first operand alone
 * (for commands that run another command).
 */
struct usage {
	const char *program; /* "sandbox-cert issue" */
	const char *args;
	const char *summary;
	const struct opt *options;
	size_t option_count;
	const struct command *commands;
	size_t command_count;
	bool stop_at_first;
};

enum opt_result {
	OPT_RUN,   /* go on; *ret_rest operands stand at argv + *ret_first */
	OPT_DONE,  /* --help or --version was printed: exit 0 */
	OPT_WRONG, /* one line was printed on stderr: exit EX_USAGE */
};

/* Defaults first, then the command line, into *values. */
enum opt_result opt_parse(const struct usage *usage, int argc, char **argv,
    void *values, int *ret_first) MUST_USE;

/* How many words may stand behind the options, and what the first one is. */
struct operands {
	int min, max;
	const char *name; /* "ALIAS"; NULL if min is 0 */
};

/* OPT_RUN, or OPT_WRONG for another number of operands, that being told. */
enum opt_result opt_operands(const struct usage *usage, int argc, char **argv,
    int first, const struct operands *want) MUST_USE;

/*
 * The main function of a program whose first operand is a command: parses
 * the options before it, runs it, prints usage otherwise.
 */
int
opt_dispatch(const struct usage *usage, int argc, char **argv, void *values);

/* The exit status after anything but OPT_RUN. */
int opt_status(enum opt_result result);
/* Standard output that cannot be written is told: 0, or the exit status. */
int opt_flush(void);

void opt_print_help(const struct usage *usage, FILE *out);

#endif
