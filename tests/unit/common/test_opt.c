/* SPDX-License-Identifier: ISC */
#include "common/opt.h"

#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "tests/unit/cases.h"

struct values {
	uint64_t ttl;
	bool force;
	char file[FIELD_TEXT];
	struct field_list words;
};

#define AT(member) offsetof(struct values, member)

static const struct opt options[] = {
	{ 't', "TIME",
	    { .name = "ttl",
		.parse = field_duration,
		.offset = AT(ttl),
		.min = 1,
		.max = 86400,
		.def = "60m",
		.help = "how long" } },
	{ 'f', NULL,
	    { .name = "force",
		.parse = field_bool,
		.offset = AT(force),
		.help = "anyway" } },
	{ 0, "FILE",
	    { .name = "file",
		.parse = field_text,
		.offset = AT(file),
		.help = "which" } },
	{ 'w', "WORD",
	    { .name = "word",
		.parse = field_words,
		.offset = AT(words),
		.def = "x",
		.help = "adds up" } },
};

static int ran_argc;
static char **ran_argv;

static int
run_show(int argc, char **argv)
{
	ran_argc = argc;
	ran_argv = argv;
	return 42;
}

static const struct command commands[] = {
	{ "show", "[FILE]", "look at it", run_show },
};

static const struct usage plain = { .program = "prog",
	.args = "[options] FILE",
	.summary = "Do it.",
	.options = options,
	.option_count = LENGTH(options) };
static const struct usage stops = { .program = "prog",
	.args = "[options] COMMAND...",
	.summary = "Do it.",
	.options = options,
	.option_count = LENGTH(options),
	.stop_at_first = true };
static const struct usage verbs = { .program = "prog",
	.args = "COMMAND",
	.summary = "Do it.",
	.options = options,
	.option_count = LENGTH(options),
	.commands = commands,
	.command_count = LENGTH(commands) };

#define ARGS_MAX 8

static const struct {
	const char *name;
	const struct usage *usage;
	const char *args[ARGS_MAX];
	enum opt_result want;
	uint64_t ttl;
	bool force;
	const char *file;
	size_t words;
	const char *first; /* operand, NULL: none */
	const char *says;  /* part of it */
} rows[] = {
	{ "nothing gives defaults", &plain, { NULL }, OPT_RUN, 3600, false, "",
	    1, NULL, "" },
	{ "long with =", &plain, { "--ttl=5m" }, OPT_RUN, 300, false, "", 1,
	    NULL, "" },
	{ "long with word", &plain, { "--ttl", "5m" }, OPT_RUN, 300, false, "",
	    1, NULL, "" },
	{ "letter with word", &plain, { "-t", "5m" }, OPT_RUN, 300, false, "",
	    1, NULL, "" },
	{ "letter with value glued on", &plain, { "-t5m" }, OPT_RUN, 300, false,
	    "", 1, NULL, "" },
	{ "letters together", &plain, { "-ft5m" }, OPT_RUN, 300, true, "", 1,
	    NULL, "" },
	{ "operand before option", &plain, { "a", "-f" }, OPT_RUN, 3600, true,
	    "", 1, "a", "" },
	{ "option after --", &plain, { "--", "-f" }, OPT_RUN, 3600, false, "",
	    1, "-f", "" },
	{ "long form only", &plain, { "--file", "x" }, OPT_RUN, 3600, false,
	    "x", 1, NULL, "" },
	{ "last one counts", &plain, { "-t1m", "-t2m" }, OPT_RUN, 120, false,
	    "", 1, NULL, "" },
	{ "words add up without the default", &plain, { "-wa", "-wb", "-wc" },
	    OPT_RUN, 3600, false, "", 3, NULL, "" },
	{ "a dash is an operand", &plain, { "-" }, OPT_RUN, 3600, false, "", 1,
	    "-", "" },
	{ "stops at the first operand", &stops, { "-f", "ls", "-t" }, OPT_RUN,
	    3600, true, "", 1, "ls", "" },
	{ "unknown long", &plain, { "--nope" }, OPT_WRONG, 0, false, NULL, 0,
	    NULL, "unknown option --nope: see prog --help" },
	{ "unknown letter", &plain, { "-x" }, OPT_WRONG, 0, false, NULL, 0,
	    NULL, "unknown option -x" },
	{ "unknown letter among others", &plain, { "a", "-fxf" }, OPT_WRONG, 0,
	    false, NULL, 0, NULL, "unknown option -x" },
	{ "unknown letter with words after", &plain, { "-x", "--", "y" },
	    OPT_WRONG, 0, false, NULL, 0, NULL, "unknown option -x" },
	{ "no value for long", &plain, { "--ttl" }, OPT_WRONG, 0, false, NULL,
	    0, NULL, "no value for option --ttl" },
	{ "no value for letter", &plain, { "-ft" }, OPT_WRONG, 0, false, NULL,
	    0, NULL, "no value for option -t" },
	{ "value for a flag", &plain, { "--force=yes" }, OPT_WRONG, 0, false,
	    NULL, 0, NULL, "option takes no value: --force=yes" },
	{ "bad value", &plain, { "--ttl", "5" }, OPT_WRONG, 0, false, NULL, 0,
	    NULL, "--ttl = '5' is not a duration" },
	{ "bad value with terminal control", &plain, { "--ttl", "\33[2J" },
	    OPT_WRONG, 0, false, NULL, 0, NULL, "'\\x1b[2J'" },
	{ "help", &plain, { "--help" }, OPT_DONE, 0, false, NULL, 0, NULL, "" },
	{ "version", &plain, { "--version" }, OPT_DONE, 0, false, NULL, 0, NULL,
	    "" },
};

/* Redirected while the program under test runs; both are read back. */
static FILE *out, *err;
static int saved_out = -1, saved_err = -1;

static void
redirect(void)
{
	out = tmpfile();
	err = tmpfile();
	assert_true(out != NULL && err != NULL);
	(void)fflush(stdout);
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	assert_true(dup2(fileno(out), STDOUT_FILENO) >= 0);
	assert_true(dup2(fileno(err), STDERR_FILENO) >= 0);
}

static void
read_back(FILE *file, char *ret, size_t size)
{
	rewind(file);
	ret[fread(ret, 1, size - 1, file)] = '\0';
	(void)fclose(file);
}

static char out_text[4096], err_text[4096];

static void
restore(void)
{
	(void)fflush(stdout);
	assert_true(dup2(saved_out, STDOUT_FILENO) >= 0);
	assert_true(dup2(saved_err, STDERR_FILENO) >= 0);
	(void)close(saved_out);
	(void)close(saved_err);
	read_back(out, out_text, sizeof(out_text));
	read_back(err, err_text, sizeof(err_text));
}

static int
fill_argv(const char *const *args, char *ret[ARGS_MAX + 2])
{
	int argc = 0;

	ret[argc++] = (char *)(uintptr_t) "prog";
	for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++)
		ret[argc++] = (char *)(uintptr_t)args[i];
	ret[argc] = NULL;
	return argc;
}

static void
test_row(void **state)
{
	const __typeof__(rows[0]) *row = *state;
	char *argv[ARGS_MAX + 2];
	int argc = fill_argv(row->args, argv), first = -1;
	struct values v = { .ttl = 0 };
	enum opt_result result;

	log_init("prog");
	redirect();
	result = opt_parse(row->usage, argc, argv, &v, &first);
	restore();
	assert_int_equal(result, row->want);
	if (*row->says == '\0')
		assert_string_equal(err_text, "");
	else
		assert_non_null(strstr(err_text, row->says));
	if (result != OPT_RUN) {
		assert_int_equal(*out_text != '\0', result == OPT_DONE);
		return;
	}
	assert_int_equal(v.ttl, row->ttl);
	assert_int_equal(v.force, row->force);
	assert_string_equal(v.file, row->file);
	assert_int_equal(v.words.count, row->words);
	if (row->first == NULL)
		assert_int_equal(first, argc);
	else
		assert_string_equal(argv[first], row->first);
}

static void
help_names_every_option(void **state)
{
	(void)state;
	redirect();
	opt_print_help(&verbs, stdout);
	restore();
	assert_non_null(strstr(out_text, "usage: prog COMMAND\n"));
	for (size_t i = 0; i < LENGTH(options); i++) {
		assert_non_null(strstr(out_text, options[i].field.name));
		assert_non_null(strstr(out_text, options[i].field.help));
	}
	assert_non_null(strstr(out_text, "-t, --ttl TIME"));
	assert_non_null(strstr(out_text, "(1s to 24h; default 60m)"));
	assert_non_null(strstr(out_text, "show"));
	assert_non_null(strstr(out_text, "--help"));
	assert_non_null(strstr(out_text, "--version"));
}

static const struct {
	const char *name;
	const char *args[ARGS_MAX];
	struct operands want;
	const char *says; /* "": accepted */
} operand_rows[] = {
	{ "one of one", { "a" }, { 1, 1, "FILE" }, "" },
	{ "one is missing", { NULL }, { 1, 1, "FILE" },
	    "FILE is missing: see prog --help" },
	{ "one of two is enough", { "a" }, { 1, 2, "FILE" }, "" },
	{ "one too many", { "a", "b", "c" }, { 1, 2, "FILE" },
	    "'c' is one word too many: see prog --help" },
	{ "none", { NULL }, { 0, 0, NULL }, "" },
	{ "one instead of none", { "a" }, { 0, 0, NULL },
	    "'a' is one word too many" },
};

static void
test_operands(void **state)
{
	const __typeof__(operand_rows[0]) *row = *state;
	char *argv[ARGS_MAX + 2];
	int argc = fill_argv(row->args, argv);
	enum opt_result result;

	redirect();
	result = opt_operands(&plain, argc, argv, 1, &row->want);
	restore();
	assert_int_equal(result, *row->says == '\0' ? OPT_RUN : OPT_WRONG);
	if (*row->says == '\0')
		assert_string_equal(err_text, "");
	else
		assert_non_null(strstr(err_text, row->says));
}

static const struct {
	const char *name;
	const char *args[ARGS_MAX];
	int status;
	const char *says;
} dispatch_rows[] = {
	{ "command runs", { "show", "--x", "y" }, 42, "" },
	{ "command after options", { "-f", "show", "--x", "y" }, 42, "" },
	{ "no command", { NULL }, EX_USAGE, "no command given" },
	{ "unknown command", { "shw" }, EX_USAGE, "unknown command 'shw'" },
	{ "start of a command", { "sho" }, EX_USAGE, "unknown command" },
	{ "unknown option before it", { "--x", "show" }, EX_USAGE,
	    "unknown option --x" },
	{ "help instead", { "--help" }, 0, "" },
};

static void
test_dispatch(void **state)
{
	const __typeof__(dispatch_rows[0]) *row = *state;
	char *argv[ARGS_MAX + 2];
	int argc = fill_argv(row->args, argv), status;
	struct values v = { .ttl = 0 };

	ran_argc = 0;
	redirect();
	status = opt_dispatch(&verbs, argc, argv, &v);
	restore();
	assert_int_equal(status, row->status);
	if (*row->says != '\0')
		assert_non_null(strstr(err_text, row->says));
	assert_int_equal(ran_argc, status == 42 ? 3 : 0);
	if (status == 42) {
		assert_string_equal(ran_argv[0], "show");
		assert_string_equal(ran_argv[1], "--x");
	}
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(help_names_every_option);
	CASE_ROWS(operand_rows, test_operands);
	CASE_ROWS(dispatch_rows, test_dispatch);
	return cases_run("opt");
}
