/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/words.h"

#define WORDS_MAX 16

static const struct opt options[] = {
	{ 0, "DURATION", { .name = "ttl" } },
	{ 0, NULL, { .name = "print" } },
};

static const struct usage usage = { .options = options, .option_count = 2 };

/* Words between blanks; what is expected, too. */
static const struct row {
	const char *name;
	const char *line;
	const char *own, *ssh, *config, *id, *command;
} rows[] = {
	{ "an id alone", "run-1", "", "", "", "run-1", "" },
	{ "a command", "run-1 ls -l", "", "", "", "run-1", "ls -l" },
	{ "a command behind --", "run-1 -- -v --ttl", "", "", "", "run-1",
	    "-v --ttl" },
	{ "-- in a command", "run-1 tar -- x", "", "", "", "run-1",
	    "tar -- x" },
	{ "-- before the id", "-- run-1 -L", "", "", "", "run-1", "-L" },
	{ "ours on either side", "--print run-1 --ttl 5m ls",
	    "--print --ttl 5m", "", "", "run-1", "ls" },
	{ "ours with =", "run-1 --ttl=5m ls", "--ttl=5m", "", "", "run-1",
	    "ls" },
	{ "ssh's behind the id", "run-1 -N -L 8080:localhost:80", "",
	    "-N -L 8080:localhost:80", "", "run-1", "" },
	{ "ssh's before it", "-t -p 22 run-1 top -d 1", "", "-t -p 22", "",
	    "run-1", "top -d 1" },
	{ "letters together", "run-1 -tt -vNL 80:x:80 ls", "",
	    "-tt -vNL 80:x:80", "", "run-1", "ls" },
	{ "a value that is glued on", "run-1 -L80:x:80 -l root ls", "",
	    "-L80:x:80 -l root", "", "run-1", "ls" },
	{ "a value like an option", "run-1 -e -N ls", "", "-e -N", "", "run-1",
	    "ls" },
	{ "settings", "run-1 -o BatchMode=yes -F /x -v -oPort=1 ls", "",
	    "-o BatchMode=yes -F /x -v -oPort=1",
	    "-o BatchMode=yes -F /x -oPort=1", "run-1", "ls" },
	{ "nobody's", "run-1 -h --nonsense ls", "-h --nonsense", "", "",
	    "run-1", "ls" },
	{ "no id", "--print -v", "--print", "-v", "", NULL, "" },
	{ "a value is missing", "run-1 -L", "", "-L", "", "run-1", "" },
	{ "ours without its value", "run-1 --ttl", "--ttl", "", "", "run-1",
	    "" },
	{ "a dash", "run-1 - x", "", "", "", "run-1", "- x" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
expect(char **words, int count, const char *want)
{
	char text[256] = "";

	for (int i = 0; count < 0 ? words[i] != NULL : i < count; i++) {
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%s", *text == '\0' ? "" : " ", words[i]);
	}
	assert_string_equal(text, want);
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	char line[256], ssh[] = "ssh", *argv[WORDS_MAX] = { ssh }, *rest = line;
	cleanup_words struct words words;
	int argc = 1;

	(void)snprintf(line, sizeof(line), "%s", row->line);
	while ((argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	assert_int_equal(
	    words_split(&usage, &words_ssh, argc, argv, &words), SBX_OK);
	assert_string_equal(words.own[0], "ssh");
	expect(words.own + 1, words.own_count - 1, row->own);
	expect(words.ssh, words.ssh_count, row->ssh);
	expect(words.config, words.config_count, row->config);
	expect(words.command, -1, row->command);
	if (row->id == NULL)
		assert_null(words.name);
	else
		assert_string_equal(words.name, row->id);
	assert_int_equal(words.unfinished != '\0',
	    strcmp(row->name, "a value is missing") == 0);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
