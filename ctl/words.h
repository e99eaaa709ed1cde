/* SPDX-License-Identifier: ISC */
/*
 * The command line of "sandboxctl ssh" taken apart: our options, which are
 * long ones, those of ssh(1), which are letters, the sandbox, the command.
 */
#ifndef SBX_CTL_WORDS_H
#define SBX_CTL_WORDS_H

#include "common/opt.h"

struct words {
	int own_count; /* ours, behind argv[0], for opt_parse */
	char **own;
	int ssh_count; /* ssh's, each with its value */
	char **ssh;
	int config_count; /* of those, -F and -o: they change its settings */
	char **config;
	char *name;	/* NULL: there is none */
	char **command; /* behind it; ends with NULL, may be empty */
};

/*
 * Options stand before the name or behind it, up to the command or "--".  What
 * is neither ours nor ssh's is left to opt_parse to refuse.  SBX_NOMEM.
 */
enum sbx_err words_split(const struct usage *usage, int argc, char **argv,
    struct words *ret) MUST_USE;
void words_free(struct words *words);
#define cleanup_words __attribute__((cleanup(words_free)))

#endif
