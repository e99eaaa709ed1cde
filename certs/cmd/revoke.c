/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "certs/cmd/ca_source.h"
#include "certs/cert.h"
#include "certs/cmd/listfile.h"
#include "certs/cmd/operand.h"
#include "certs/cmd/verb.h"
#include "common/cleanup.h"
#include "common/text.h"

struct options {
	struct ca_options ca;
	char list[FIELD_TEXT];
	uint64_t next_update;
	bool new;
};

static const struct opt rows[] = {
	CA_SOURCE_ROWS(struct options),
	VERB_ROW(0, "FILE", "list", field_text, list,
	    .help = "the list, which is replaced"),
	VERB_ROW(0, NULL, "new", field_bool, new,
	    .help = "make the list: there is none yet"),
	VERB_ROW(0, "TIME", "next-update", field_duration, next_update,
	    .min = 1, .max = LISTFILE_LIFE_MAX, .def = LISTFILE_LIFE,
	    .help = "how long the list is good for"),
};

static const struct usage usage = {
	.program = "sandbox-cert revoke",
	.args =
	    "--ca FILE|--ca-agent FILE.pub --list FILE [options] CERT.pub...",
	.summary = "Add certificates to a revocation list and sign it again",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

/* Only what its CA really signed: a damaged serial is another one's. */
static enum sbx_err
add_certificate(struct view line, struct revset *set)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	uint8_t issuer[KEY_ED25519_LEN];
	struct public_key key;
	struct cert cert;
	enum sbx_err err = cert_parse_line(line, &blob, &cert);

	if (err != SBX_OK)
		return err;
	if (key_parse(cert.ca, &key) != SBX_OK ||
	    key_ed25519(&key, issuer) != SBX_OK)
		return SBX_CA_TYPE;
	err = cert_verify(&cert, issuer);
	if (err == SBX_OK && cert.serial == 0)
		err = SBX_SERIAL_ZERO;
	return err != SBX_OK
	    ? err
	    : revset_add_serials(set, issuer, cert.serial, cert.serial);
}

static enum sbx_err
add_file(const char *path, struct revset *set, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	enum sbx_err err = operand_read(path, &text, why);
	struct view rest, line;
	size_t count = 0;

	if (err != SBX_OK)
		return err;
	rest = buf_view(&text);
	for (size_t number = 1; text_next_line(&rest, &line); number++) {
		if (operand_skips(line))
			continue;
		err = add_certificate(line, set);
		if (err != SBX_OK)
			return sbx_fail(why, err,
			    "%s:%zu: %s: give a certificate with a serial, as "
			    "in KEY-cert.pub",
			    operand_name(path), number, sbx_err_text(err));
		count++;
	}
	if (count > 0)
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE, "%s has no certificate in it",
	    operand_name(path));
}

/*
 * A name that was mistyped must not become a list that nobody asks; nor, so
 * before the lock is made, leave anything behind.
 */
static enum sbx_err
check_new(const struct options *options, struct sbx_why *why)
{
	bool there = access(options->list, F_OK) == 0 || errno != ENOENT;

	if (there && options->new)
		return sbx_fail(why, SBX_EXISTS,
		    "there is a list %s already: leave --new out",
		    options->list);
	if (!there && !options->new)
		return sbx_fail(why, SBX_NOT_FOUND,
		    "there is no list %s: give --new to make it",
		    options->list);
	return SBX_OK;
}

static enum sbx_err
revoke_them(
    const struct options *options, char *const paths[], struct sbx_why *why)
{
	cleanup_close int lock = -1;
	cleanup_ca_source struct ca_source ca;
	cleanup_revset struct revset set;
	enum sbx_err err;

	revset_init(&set);
	err = ca_source_open(&options->ca, getenv("SSH_AUTH_SOCK"), &ca, why);
	for (; err == SBX_OK && *paths != NULL; paths++)
		err = add_file(*paths, &set, why);
	if (err == SBX_OK)
		err = check_new(options, why);
	if (err == SBX_OK)
		err = listfile_lock(options->list, &lock, why);
	if (err == SBX_OK)
		err = listfile_load(options->list, ca.key.public, &set, why);
	/* Else one that was made meanwhile is added to. */
	if (lock >= 0 && err == SBX_NOT_FOUND && options->new)
		err = SBX_OK;
	if (err != SBX_OK)
		return err;
	return listfile_write(
	    options->list, &set, &ca.key, options->next_update, why);
}

static enum sbx_err
run(void *values, char *const paths[], struct sbx_why *why)
{
	const struct options *options = values;
	enum sbx_err err = ca_options_check(&options->ca, &usage, why);

	if (err != SBX_OK)
		return err;
	if (options->list[0] == '\0')
		return sbx_fail(why, SBX_USAGE,
		    "--list is missing: see %s --help", usage.program);
	if (*paths == NULL)
		return sbx_fail(why, SBX_USAGE,
		    "no certificate given: see %s --help", usage.program);
	if (operand_is_stdin(options->list))
		return sbx_fail(
		    why, SBX_USAGE, "a list is a file: name one with --list");
	return revoke_them(options, paths, why);
}

int
cmd_revoke(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_ANY, run, NULL };
	struct options options = { 0 };

	return verb_run(&verb, argc, argv, &options);
}
