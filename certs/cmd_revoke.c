#include "certs/commands.h"

#include <unistd.h>

#include "certs/cert.h"
#include "certs/listfile.h"
#include "certs/operand.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"

struct options {
	char ca[FIELD_TEXT];
	char list[FIELD_TEXT];
	uint64_t next_update;
};

#define ROW(arg_, name_, parse_, member, ...)                       \
	{                                                           \
		0, arg_,                                            \
		{                                                   \
			.name = name_, .parse = parse_,             \
			.offset = offsetof(struct options, member), \
			__VA_ARGS__                                 \
		}                                                   \
	}

static const struct opt rows[] = {
	ROW("FILE", "ca", field_text, ca,
	    .help = "private key of the CA that signs the list"),
	ROW("FILE", "list", field_text, list,
	    .help = "the list, which is made if missing"),
	ROW("TIME", "next-update", field_duration, next_update, .min = 1,
	    .max = LISTFILE_LIFE_MAX, .def = LISTFILE_LIFE,
	    .help = "how long the list is good for"),
};

static const struct usage usage = {
	.program = "sandbox-cert revoke",
	.args = "--ca FILE --list FILE [options] CERT.pub...",
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

static enum sbx_err
run(const struct options *options, char *const paths[], struct sbx_why *why)
{
	cleanup_close int lock = -1;
	cleanup_keypair struct keypair ca;
	cleanup_revset struct revset set;
	enum sbx_err err;

	revset_init(&set);
	err = keyfile_read(options->ca, getuid(), &ca, why);
	for (; err == SBX_OK && *paths != NULL; paths++)
		err = add_file(*paths, &set, why);
	if (err == SBX_OK)
		err = listfile_lock(options->list, &lock, why);
	if (err == SBX_OK)
		err = listfile_load(options->list, ca.public, &set, why);
	if (err != SBX_OK && (err != SBX_NOT_FOUND || lock < 0))
		return err;
	return listfile_write(
	    options->list, &set, &ca, options->next_update, why);
}

int
cmd_revoke(int argc, char **argv)
{
	struct options options = { 0 };
	struct sbx_why why = { "" };
	int first = 0;
	enum sbx_err err;

	switch (opt_parse(&usage, argc, argv, &options, &first)) {
	case OPT_DONE:
		return EX_OK;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (options.ca[0] == '\0' || options.list[0] == '\0') {
		log_error("--%s is missing: see %s --help",
		    options.ca[0] == '\0' ? "ca" : "list", usage.program);
		return EX_USAGE;
	}
	if (first == argc) {
		log_error("no certificate given: see %s --help", usage.program);
		return EX_USAGE;
	}
	if (operand_is_stdin(options.list)) {
		log_error("a list is a file: name one with --list");
		return EX_USAGE;
	}
	err = run(&options, argv + first, &why);
	return err == SBX_OK ? EX_OK : log_failure(err, &why);
}
