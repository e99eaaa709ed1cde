/* SPDX-License-Identifier: ISC */
/*
 * The command line of a verb that runs ssh(1) or scp(1) taken apart: our
 * options, which are long ones, the program's, which are letters, the first
 * operand, the others.
 */
#ifndef SBX_CTL_WORDS_H
#define SBX_CTL_WORDS_H

#include "common/opt.h"

/* Of all releases that we know; a newer one's go behind -o. */
struct words_letters {
	const char *plain, *valued;
};

extern const struct words_letters words_ssh, words_scp;

struct words {
	int own_count; /* ours, behind argv[0], for opt_parse */
	char **own;
	int ssh_count; /* the program's, each with its value */
	char **ssh;
	int config_count; /* of those, -F and -o: they change its settings */
	char **config;
	char *name;	 /* the first operand; NULL: there is none */
	char **command;	 /* behind it; ends with NULL, may be empty */
	char unfinished; /* the letter whose value is missing; '\0': none */
};

/*
 * Options stand before the name or behind it, up to the command or "--".  What
 * is neither ours nor the program's is left to opt_parse to refuse.  SBX_NOMEM.
 */
enum sbx_err
words_split(const struct usage *usage, const struct words_letters *letters,
    int argc, char **argv, struct words *ret) MUST_USE;
/* OPT_RUN, or what is missing is told. */
enum opt_result
words_check(const struct usage *usage, const struct words *words) MUST_USE;
void words_free(struct words *words);
#define cleanup_words __attribute__((cleanup(words_free)))

#endif
