/* SPDX-License-Identifier: ISC */
#include "ctl/words.h"

#include <stdlib.h>
#include <string.h>

const struct words_letters words_ssh = { "1246AaCfGgKkMNnqsTtVvXxYy",
	"BbcDEeFIiJLlmOoPpQRSWw" };
const struct words_letters words_scp = { "346ABCOpqRrsTv", "cDFiJloPSX" };

#define SETTINGS "Fo"

static void
add(int *count, char **list, char *word)
{
	list[(*count)++] = word;
}

/* Does that option of ours, "--ttl", take the next word too? */
static bool
takes_next(const struct usage *usage, const char *word)
{
	for (size_t i = 0; i < usage->option_count; i++) {
		if (strcmp(usage->options[i].field.name, word + 2) == 0)
			return usage->options[i].arg != NULL;
	}
	return false;
}

/*
 * Which letter among them takes what stands behind it: '\0' if none does, '?'
 * if one is not the program's.
 */
static char
valued_letter(const struct words_letters *letters, const char *word,
    const char **ret_value)
{
	for (const char *c = word + 1; *c != '\0'; c++) {
		*ret_value = c + 1;
		if (strchr(letters->valued, *c) != NULL)
			return *c;
		if (strchr(letters->plain, *c) == NULL)
			return '?';
	}
	return '\0';
}

/* A word that starts with "-"; how many there are of it, 1 or 2. */
static int
take_option(const struct usage *usage, const struct words_letters *letters,
    char **at, struct words *ret)
{
	const char *value;
	char letter;
	bool settings, two;

	if (at[0][1] == '-') {
		two = takes_next(usage, at[0]) && at[1] != NULL;
		add(&ret->own_count, ret->own, at[0]);
		if (two)
			add(&ret->own_count, ret->own, at[1]);
		return 1 + two;
	}
	letter = valued_letter(letters, at[0], &value);
	if (letter == '?') {
		add(&ret->own_count, ret->own, at[0]);
		return 1;
	}
	two = letter != '\0' && *value == '\0' && at[1] != NULL;
	if (letter != '\0' && *value == '\0' && !two)
		ret->unfinished = letter;
	settings = letter != '\0' && strchr(SETTINGS, letter) != NULL;
	for (int i = 0; i < 1 + two; i++) {
		add(&ret->ssh_count, ret->ssh, at[i]);
		if (settings)
			add(&ret->config_count, ret->config, at[i]);
	}
	return 1 + two;
}

enum sbx_err
words_split(const struct usage *usage, const struct words_letters *letters,
    int argc, char **argv, struct words *ret)
{
	size_t room = (size_t)argc + 1;
	bool options = true;
	int i = 1;

	*ret = (struct words){ .own = calloc(room, sizeof(*argv)),
		.ssh = calloc(room, sizeof(*argv)),
		.config = calloc(room, sizeof(*argv)) };
	if (ret->own == NULL || ret->ssh == NULL || ret->config == NULL)
		return SBX_NOMEM;
	add(&ret->own_count, ret->own, argv[0]);
	while (i < argc) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			i++;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			i += take_option(usage, letters, argv + i, ret);
		} else if (ret->name == NULL) {
			ret->name = argv[i++];
		} else {
			break;
		}
	}
	ret->command = argv + i;
	return SBX_OK;
}

enum opt_result
words_check(const struct usage *usage, const struct words *words)
{
	char what[] = "the value of -?";

	if (words->unfinished == '\0')
		return OPT_RUN;
	what[sizeof(what) - 2] = words->unfinished;
	return opt_operands(
	    usage, 0, NULL, 0, &(struct operands){ 1, 1, what });
}

void
words_free(struct words *words)
{
	free(words->own);
	free(words->ssh);
	free(words->config);
}
