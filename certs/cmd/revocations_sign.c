/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <stdlib.h>
#include <string.h>

#include "certs/cmd/ca_source.h"
#include "certs/cert.h"
#include "certs/cmd/listfile.h"
#include "certs/cmd/operand.h"
#include "certs/revtext.h"
#include "certs/cmd/verb.h"
#include "common/cleanup.h"

struct options {
	struct ca_options ca;
	char issuer[FIELD_TEXT];
	struct arguments serials, keys, cas, texts, lists;
	uint64_t next_update;
	char out[FIELD_TEXT];
};

/* struct arguments: adds one, which is good. */
static enum sbx_err
field_serials(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	uint64_t first, last;

	if (revtext_serials(VIEW_STR(text), &first, &last) == SBX_OK)
		return field_arguments(field, text, object, why);
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s = '%.80s' is neither 0x1f, nor 16 hexadecimal digits, nor two "
	    "of them with a dash, the lower first",
	    field->name, text);
}

static const struct opt rows[] = {
	CA_SOURCE_ROWS(struct options),
	VERB_ROW(0, "FILE", "out", field_text, out,
	    .help = "the list, which is replaced"),
	VERB_ROW(0, "LO[-HI]", "serial", field_serials, serials,
	    .help = "revoke a certificate, or a range of them"),
	VERB_ROW(0, "FILE.pub", "issuer", field_text, issuer,
	    .help = "the CA of those serials, else --ca"),
	VERB_ROW(0, "FILE.pub", "key", field_arguments, keys,
	    .help = "revoke a user's key, in any certificate"),
	VERB_ROW(0, "FILE.pub", "revoke-ca", field_arguments, cas,
	    .help = "revoke all that a CA signed"),
	VERB_ROW(0, "FILE", "from", field_arguments, texts,
	    .help = "revoke what this text says"),
	VERB_ROW(0, "LIST", "merge", field_arguments, lists,
	    .help = "revoke what this list of the same CA revokes"),
	VERB_ROW(0, "TIME", "next-update", field_duration, next_update,
	    .min = 1, .max = LISTFILE_LIFE_MAX, .def = LISTFILE_LIFE,
	    .help = "how long the list is good for"),
};

static const struct usage usage = {
	.program = "sandbox-cert revocations sign",
	.args = "--ca FILE|--ca-agent FILE.pub --out FILE [options]",
	.summary = "Make a signed revocation list; FILE - of --from is "
		   "standard input",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

/* Everything that the commands below add to. */
struct work {
	struct revset *set;
	const uint8_t *signer;
	uint8_t issuer[KEY_ED25519_LEN];
};

/* The key of a .pub file, also out of a certificate; blob gets its bytes. */
static enum sbx_err
read_key(
    const char *path, struct buf *blob, struct view *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	cleanup_buf struct buf whole = BUF_INIT(CERT_BLOB_MAX);
	struct public_key key;
	struct cert cert;
	struct view line;
	enum sbx_err err = operand_read_line(path, &text, &line, why);

	if (err != SBX_OK)
		return err;
	if (cert_parse_line(line, &whole, &cert) == SBX_OK) {
		cert_put_public_key(&cert, blob);
		*ret = buf_view(blob);
		return buf_error(blob);
	}
	err = key_parse_line(line, blob, &key);
	if (err != SBX_OK)
		return sbx_fail(why, err, "%s: %s: give a public key",
		    operand_name(path), sbx_err_text(err));
	*ret = key.blob;
	return SBX_OK;
}

static enum sbx_err
add_serial(struct work *work, const char *arg, struct sbx_why *why)
{
	uint64_t first, last;
	enum sbx_err err = revtext_serials(VIEW_STR(arg), &first, &last);

	(void)why;
	return err != SBX_OK
	    ? err
	    : revset_add_serials(work->set, work->issuer, first, last);
}

static enum sbx_err
add_key(struct work *work, const char *arg, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	uint8_t hash[REVOCATIONS_KEY_LEN];
	struct view key = { NULL, 0 };
	enum sbx_err err = read_key(arg, &blob, &key, why);

	if (err != SBX_OK)
		return err;
	(void)crypto_hash_sha256(hash, key.p, key.len);
	return revset_add_key(work->set, hash);
}

static enum sbx_err
add_ca(struct work *work, const char *arg, struct sbx_why *why)
{
	uint8_t ca[KEY_ED25519_LEN];
	enum sbx_err err = ca_source_public(arg, ca, why);

	return err != SBX_OK ? err : revset_add_ca(work->set, ca);
}

static enum sbx_err
add_text(struct work *work, const char *arg, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(3 * REVSET_BYTES_MAX);
	enum sbx_err err = operand_read(arg, &text, why);

	return err != SBX_OK ? err
			     : revtext_parse(operand_name(arg), buf_view(&text),
				   work->signer, work->set, why);
}

static enum sbx_err
add_list(struct work *work, const char *arg, struct sbx_why *why)
{
	return listfile_load(arg, work->signer, work->set, why);
}

static enum sbx_err
add_each(struct work *work, const struct arguments *list,
    enum sbx_err (*add)(
	struct work *work, const char *arg, struct sbx_why *why),
    struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	for (size_t i = 0; i < list->count && err == SBX_OK; i++)
		err = add(work, list->arg[i], why);
	return err;
}

static enum sbx_err
collect(const struct options *options, const uint8_t *signer,
    struct revset *ret, struct sbx_why *why)
{
	struct work work = { .set = ret, .signer = signer };
	enum sbx_err err = SBX_OK;

	memcpy(work.issuer, signer, sizeof(work.issuer));
	if (options->issuer[0] != '\0')
		err = ca_source_public(options->issuer, work.issuer, why);
	if (err == SBX_OK)
		err = add_each(&work, &options->serials, add_serial, why);
	if (err == SBX_OK)
		err = add_each(&work, &options->keys, add_key, why);
	if (err == SBX_OK)
		err = add_each(&work, &options->cas, add_ca, why);
	if (err == SBX_OK)
		err = add_each(&work, &options->texts, add_text, why);
	return err != SBX_OK ? err
			     : add_each(&work, &options->lists, add_list, why);
}

static enum sbx_err
sign(const struct options *options, struct sbx_why *why)
{
	cleanup_close int lock = -1;
	cleanup_ca_source struct ca_source ca;
	cleanup_revset struct revset set;
	enum sbx_err err;

	revset_init(&set);
	err = ca_source_open(&options->ca, getenv("SSH_AUTH_SOCK"), &ca, why);
	if (err == SBX_OK)
		err = listfile_lock(options->out, &lock, why);
	if (err == SBX_OK)
		err = collect(options, ca.key.public, &set, why);
	return err != SBX_OK ? err
			     : listfile_write(options->out, &set, &ca.key,
				   options->next_update, why);
}

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	const struct options *options = values;
	enum sbx_err err = ca_options_check(&options->ca, &usage, why);

	(void)operands;
	if (err != SBX_OK)
		return err;
	if (options->out[0] == '\0')
		return sbx_fail(why, SBX_USAGE,
		    "--out is missing: see %s --help", usage.program);
	if (operand_is_stdin(options->out))
		return sbx_fail(why, SBX_USAGE,
		    "a list goes into a file: name one with --out");
	return sign(options, why);
}

int
cmd_revocations_sign(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_NONE, run, NULL };
	struct options options = { 0 };

	return verb_run(&verb, argc, argv, &options);
}
