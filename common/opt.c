/* SPDX-License-Identifier: ISC */
#include "common/opt.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "common/log.h"

enum {
	OPT_HELP = 256,
	OPT_VERSION,
	OPT_FIRST_ROW, /* a row's index is added to it */
};

struct getopt_tables {
	char letters[3 * OPT_MAX + 2];
	struct option longs[OPT_MAX + 3];
};

static void
fill_tables(const struct usage *usage, struct getopt_tables *ret)
{
	char *letter = ret->letters;
	size_t n = 0;

	*letter++ = usage->stop_at_first || usage->commands != NULL ? '+' : ':';
	if (ret->letters[0] == '+')
		*letter++ = ':';
	for (size_t i = 0; i < usage->option_count && i < OPT_MAX; i++) {
		const struct opt *o = &usage->options[i];

		ret->longs[n++] = (struct option){ o->field.name,
			o->arg != NULL ? required_argument : no_argument, NULL,
			OPT_FIRST_ROW + (int)i };
		if (o->letter == 0)
			continue;
		*letter++ = o->letter;
		if (o->arg != NULL)
			*letter++ = ':';
	}
	*letter = '\0';
	ret->longs[n++] =
	    (struct option){ "help", no_argument, NULL, OPT_HELP };
	ret->longs[n++] =
	    (struct option){ "version", no_argument, NULL, OPT_VERSION };
	ret->longs[n] = (struct option){ 0 };
}

static const struct opt *
find_row(const struct usage *usage, int found)
{
	if (found >= OPT_FIRST_ROW)
		return &usage->options[found - OPT_FIRST_ROW];
	for (size_t i = 0; i < usage->option_count; i++) {
		if (usage->options[i].letter == found)
			return &usage->options[i];
	}
	return NULL;
}

static enum opt_result
wrong(const struct usage *usage, const char *what)
{
	log_error("%s: see %s --help", what, usage->program);
	return OPT_WRONG;
}

/* What getopt_long refused: result is '?' or ':'. */
static enum opt_result
wrong_option(const struct usage *usage, char **argv, int result)
{
	char what[160];

	/* A letter may stand amid others; only getopt knows which it was. */
	if (optopt > 0 && optopt < OPT_HELP)
		(void)snprintf(what, sizeof(what), "%s -%c",
		    result == ':' ? "no value for option" : "unknown option",
		    optopt);
	else
		(void)snprintf(what, sizeof(what), "%s %.80s",
		    result == ':'     ? "no value for option"
			: optopt == 0 ? "unknown option"
				      : "option takes no value:",
		    argv[optind - 1]);
	return wrong(usage, what);
}

static enum opt_result
take(const struct opt *o, void *values)
{
	struct sbx_why why = { "" };
	enum sbx_err err = o->field.parse(&o->field, optarg, values, &why);

	if (err == SBX_OK)
		return OPT_RUN;
	log_error("--%s", sbx_why_text(&why, err));
	return OPT_WRONG;
}

enum opt_result
opt_parse(const struct usage *usage, int argc, char **argv, void *values,
    int *ret_first)
{
	struct getopt_tables tables;
	struct sbx_why why = { "" };
	int found;

	for (size_t i = 0; i < usage->option_count; i++) {
		if (field_defaults(&usage->options[i].field, values, &why) !=
		    SBX_OK)
			return wrong(usage, why.text);
	}
	fill_tables(usage, &tables);
	optind = 0; /* a second parse in one process starts afresh */
	while ((found = getopt_long(
		    argc, argv, tables.letters, tables.longs, NULL)) != -1) {
		enum opt_result result;

		/* -h is what everybody tries first. */
		if (found == OPT_HELP || (found == '?' && optopt == 'h')) {
			opt_print_help(usage, stdout);
			return OPT_DONE;
		}
		if (found == '?' || found == ':')
			return wrong_option(usage, argv, found);
		if (found == OPT_VERSION) {
			(void)printf("%s %s\n", log_program(), PACKAGE_VERSION);
			return OPT_DONE;
		}
		result = take(find_row(usage, found), values);
		if (result != OPT_RUN)
			return result;
	}
	*ret_first = optind;
	return OPT_RUN;
}

enum opt_result
opt_operands(const struct usage *usage, int argc, char **argv, int first,
    const struct operands *want)
{
	char what[160];

	if (argc - first < want->min)
		(void)snprintf(what, sizeof(what), "%s is missing", want->name);
	else if (argc - first > want->max)
		(void)snprintf(what, sizeof(what),
		    "'%.80s' is one word too many", argv[first + want->max]);
	else
		return OPT_RUN;
	return wrong(usage, what);
}

int
opt_flush(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	/* Whoever reads has seen enough: nothing to tell. */
	if (errno != EPIPE)
		log_error(
		    "cannot write to standard output: %s", strerror(errno));
	return EX_IOERR;
}

int
opt_status(enum opt_result result)
{
	return result == OPT_DONE ? opt_flush() : EX_USAGE;
}

int
opt_dispatch(const struct usage *usage, int argc, char **argv, void *values)
{
	char what[160];
	enum opt_result result;
	int first = 0;

	result = opt_parse(usage, argc, argv, values, &first);
	if (result != OPT_RUN)
		return opt_status(result);
	if (first == argc) {
		(void)wrong(usage, "no command given");
		return EX_USAGE;
	}
	for (size_t i = 0; i < usage->command_count; i++) {
		if (strcmp(usage->commands[i].name, argv[first]) == 0)
			return usage->commands[i].run(
			    argc - first, argv + first);
	}
	(void)snprintf(
	    what, sizeof(what), "unknown command '%.80s'", argv[first]);
	(void)wrong(usage, what);
	return EX_USAGE;
}

/*
 * " (one|other; default one)", " (1s to 1h; default 10s)": the completions of
 * the shells read it, and tests compare the manual with it.
 */
static void
print_values(const struct field *field, FILE *out)
{
	char range[FIELD_RANGE_LEN];
	const char *before = " (";

	for (size_t i = 0; field->choices != NULL && field->choices[i] != NULL;
	     i++) {
		(void)fprintf(out, "%s%s", before, field->choices[i]);
		before = "|";
	}
	field_put_range(field, range);
	if (*range != '\0') {
		(void)fprintf(out, "%s%s", before, range);
		before = "; ";
	}
	if (field->choices != NULL)
		before = "; ";
	if (field->def != NULL)
		(void)fprintf(out, "%sdefault %s", before, field->def);
	if (field->choices != NULL || *range != '\0' || field->def != NULL)
		(void)fputc(')', out);
}

static void
print_option(const struct opt *o, FILE *out)
{
	char left[64], letter[8] = "    ";

	if (o->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->field.name,
	    o->arg == NULL ? "" : " ", o->arg == NULL ? "" : o->arg);
	(void)fprintf(out, "  %-30s %s", left, o->field.help);
	print_values(&o->field, out);
	(void)fputc('\n', out);
}

void
opt_print_help(const struct usage *usage, FILE *out)
{
	(void)fprintf(out, "usage: %s%s%s\n%s\n", usage->program,
	    *usage->args == '\0' ? "" : " ", usage->args, usage->summary);
	if (usage->commands != NULL)
		(void)fputs("\ncommands:\n", out);
	for (size_t i = 0; i < usage->command_count; i++)
		(void)fprintf(out, "  %-30s %s\n", usage->commands[i].name,
		    usage->commands[i].help);
	(void)fputs("\noptions:\n", out);
	for (size_t i = 0; i < usage->option_count; i++)
		print_option(&usage->options[i], out);
	(void)fprintf(out, "  %-30s %s\n  %-30s %s\n", "    --help",
	    "print this", "    --version", "print the version");
}
