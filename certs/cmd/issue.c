/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/build.h"
#include "certs/cmd/ca_source.h"
#include "certs/check.h"
#include "certs/keyfile.h"
#include "certs/cmd/operand.h"
#include "certs/cmd/verb.h"
#include "common/cleanup.h"
#include "common/name.h"
#include "common/paths.h"
#include "common/text.h"

#define USER_TTL 3600
#define HOST_TTL ((uint64_t)30 * 24 * 3600)
#define HOST_TTL_MAX (366 * 24 * 3600)
#define PERMIT_UNSET (~0U)

struct options {
	struct ca_options ca;
	char sandbox[FIELD_TEXT];
	struct arguments hosts;
	uint64_t ttl;	     /* 0: the default */
	uint64_t valid_from; /* 0: now, less the usual skew */
	uint64_t serial;     /* 0: random */
	char key_id[FIELD_TEXT];
	unsigned permit; /* PERMIT_UNSET: the default */
	char source_address[FIELD_TEXT];
	char force_command[FIELD_TEXT];
	bool single_use;
	char out[FIELD_TEXT];
};

/* uint64_t, 1 to 16 hexadecimal digits, not 0. */
static enum sbx_err
field_serial(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	uint64_t *serial = (uint64_t *)((char *)object + field->offset);
	size_t len = strspn(text, "0123456789abcdefABCDEF");

	if (len == 0 || len > 16 || text[len] != '\0' ||
	    strspn(text, "0") == len)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s = '%.80s' is not 1 to 16 hexadecimal digits other "
		    "than 0",
		    field->name, text);
	*serial = strtoull(text, NULL, 16);
	return SBX_OK;
}

static const struct opt rows[] = {
	CA_SOURCE_ROWS(struct options),
	VERB_ROW(0, "ID", "sandbox", field_text, sandbox,
	    .help = "the one sandbox that it opens"),
	VERB_ROW(0, "NAME", "host", field_arguments, hosts,
	    .help = "certify a host of this name instead"),
	VERB_ROW(0, "TIME", "ttl", field_duration, ttl, .min = 1,
	    .max = HOST_TTL_MAX,
	    .help = "how long it lives, else 60m, or 30d of a host"),
	VERB_ROW(0, "UNIXTIME", "valid-from", field_uint, valid_from, .min = 1,
	    .help = "start of its life, else 60 seconds ago"),
	VERB_ROW(0, "HEX", "serial", field_serial, serial,
	    .help = "serial number, else a random one"),
	VERB_ROW(0, "TEXT", "key-id", field_text, key_id,
	    .help = "name in logs, else USER/ID/SERIAL"),
	VERB_ROW(0, "WORDS", "permit", field_permit, permit,
	    .help = "what a login may do, or none; else " PERMIT_DEFAULT_WORDS),
	VERB_ROW(0, "CIDR,...", "source-address", field_text, source_address,
	    .help = "where a login may come from"),
	VERB_ROW(0, "COMMAND", "force-command", field_text, force_command,
	    .help = "the only command that is run"),
	VERB_ROW(0, NULL, "single-use", field_bool, single_use,
	    .help = "good for one connection"),
	VERB_ROW(0, "FILE", "out", field_text, out,
	    .help = "where to, - for stdout, else KEY-cert.pub"),
};

static const struct usage usage = {
	.program = "sandbox-cert issue",
	.args = "--ca FILE|--ca-agent FILE.pub --sandbox ID [options] KEY.pub",
	.summary = "Certify a user's public key, or a host's; KEY.pub - reads "
		   "and writes the standard streams",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

static const char *
text_or_null(const char *text)
{
	return *text == '\0' ? NULL : text;
}

static bool
is_host(const struct options *options)
{
	return options->hosts.count > 0;
}

static const char *
principal_of(const struct options *options)
{
	return is_host(options) ? options->hosts.arg[0] : options->sandbox;
}

static unsigned
choose_permit(const struct options *options)
{
	if (options->permit != PERMIT_UNSET)
		return options->permit;
	return is_host(options) ? 0 : PERMIT_DEFAULT;
}

static void
choose_times(
    const struct options *options, uint64_t now, struct cert_request *ret)
{
	uint64_t start = options->valid_from, after = start;
	uint64_t ttl = options->ttl;

	if (ttl == 0)
		ttl = is_host(options) ? HOST_TTL : USER_TTL;
	if (start == 0) {
		start = now;
		after = now - CHECK_SKEW_DEFAULT;
	}
	ret->valid_after = after;
	ret->valid_before = start + ttl;
	/* The allowance for slow clocks counts when the gate measures. */
	if (!is_host(options) && ret->valid_before - after > CHECK_TTL_MAX)
		ret->valid_before = after + CHECK_TTL_MAX;
}

static enum sbx_err
choose_key_id(const struct options *options, uint64_t serial, struct buf *ret,
    struct sbx_why *why)
{
	struct paths paths;
	enum sbx_err err;

	if (options->key_id[0] != '\0') {
		buf_put_text(ret, options->key_id);
		return buf_error(ret);
	}
	err = paths_find(&paths, why);
	if (err != SBX_OK)
		return err;
	buf_printf(ret, "%s/%s/%016" PRIx64, paths.user, principal_of(options),
	    serial);
	return buf_error(ret);
}

static uint64_t
choose_serial(uint64_t wanted)
{
	while (wanted == 0)
		randombytes_buf(&wanted, sizeof(wanted));
	return wanted;
}

/*
 * A certificate for this key that still has some time is not given up for one
 * that opens nothing now, or is over before that one begins: then the clock is
 * wrong.
 */
static enum sbx_err
spare_good(const char *path, const struct cert_request *request, uint64_t now,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct view line;
	struct cert old;

	if (operand_is_stdin(path) ||
	    operand_read_line(path, &text, &line, NULL) != SBX_OK ||
	    cert_parse_line(line, &blob, &old) != SBX_OK)
		return SBX_OK;
	cert_put_public_key(&old, &key);
	if (!view_eq(buf_view(&key), request->public_key) ||
	    old.valid_before <= now)
		return SBX_OK;
	if (request->valid_after <= now && now < request->valid_before &&
	    old.valid_after < request->valid_before)
		return SBX_OK;
	return sbx_fail(why, SBX_USAGE,
	    "%s has a certificate for this key that is still good, and the new "
	    "one would not be%s: remove that file first, or name another one "
	    "with --out",
	    path,
	    request->valid_after <= now && now < request->valid_before
		? " (is the clock right?)"
		: "");
}

/* Sign; the line of the -cert.pub file, at path, is appended to ret. */
static enum sbx_err
issue(const struct options *options, const char *operand, struct view key_line,
    const char *path, struct buf *ret, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf key_id = BUF_INIT(CERT_KEY_ID_MAX);
	cleanup_buf struct buf certificate = BUF_INIT(CERT_BLOB_MAX);
	cleanup_ca_source struct ca_source ca;
	uint8_t nonce[BUILD_NONCE_LEN];
	struct cert_request request = {
		.type = is_host(options) ? CERT_TYPE_HOST : CERT_TYPE_USER,
		.principal = principal_of(options),
		.aliases = is_host(options) ? options->hosts.arg + 1 : NULL,
		.serial = choose_serial(options->serial),
		.permit = choose_permit(options),
		.single_use = options->single_use,
		.source_address = text_or_null(options->source_address),
		.force_command = text_or_null(options->force_command),
	};
	uint64_t now = (uint64_t)time(NULL);
	struct sbx_why own = { "" };
	struct public_key key;
	struct view word;
	enum sbx_err err;

	err = key_parse_line(key_line, &blob, &key);
	if (err != SBX_OK)
		return sbx_fail(why, err, "%s: %s: give a public key",
		    operand_name(operand), sbx_err_text(err));
	err = choose_key_id(options, request.serial, &key_id, why);
	if (err == SBX_OK)
		err = ca_source_open(
		    &options->ca, getenv("SSH_AUTH_SOCK"), &ca, why);
	if (err != SBX_OK)
		return err;
	request.public_key = key.blob;
	request.key_id = buf_text(&key_id);
	choose_times(options, now, &request);
	/* All that is in it but the key came from the command line. */
	err = cert_request_check(&request, &own);
	if (err != SBX_OK)
		return sbx_fail(why, SBX_USAGE, "%s", sbx_why_text(&own, err));
	err = spare_good(path, &request, now, why);
	if (err != SBX_OK)
		return err;
	randombytes_buf(nonce, sizeof(nonce));
	err = cert_issue(&request, nonce, &ca.key, &certificate, why);
	if (err != SBX_OK)
		return err;
	key_put_line(buf_view(&certificate), NULL, ret);
	/* What stands behind type and key is the comment: it goes along. */
	(void)(text_next_word(&key_line, &word) &&
	    text_next_word(&key_line, &word));
	buf_put_view(ret, key_line);
	buf_put_text(ret, "\n");
	return buf_error(ret);
}

/* KEY.pub to KEY-cert.pub, where ssh looks for it. */
static enum sbx_err
choose_path(const struct options *options, const char *operand, struct buf *ret)
{
	size_t len = strlen(operand);

	if (options->out[0] != '\0') {
		buf_put_text(ret, options->out);
		return buf_error(ret);
	}
	if (operand_is_stdin(operand)) {
		buf_put_text(ret, "-");
		return buf_error(ret);
	}
	if (len > 4 && strcmp(operand + len - 4, ".pub") == 0)
		len -= 4;
	buf_put(ret, operand, len);
	buf_put_text(ret, "-cert.pub");
	return buf_error(ret);
}

/*
 * ssh uses the certificate with the private key beside it: one of another pair
 * would get nobody in.  What cannot be read has nothing to say.
 */
static enum sbx_err
check_pair(const struct options *options, const char *operand,
    struct view key_line, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf half = BUF_INIT(KEYFILE_MAX);
	size_t len = strlen(operand);
	struct public_key key;
	char path[PATHS_MAX];

	if (options->out[0] != '\0' || is_host(options) || len <= 4 ||
	    strcmp(operand + len - 4, ".pub") != 0 ||
	    text_copy(VIEW(operand, len - 4), path, sizeof(path)) != SBX_OK ||
	    file_read(AT_FDCWD, path, &text, NULL) != SBX_OK ||
	    keyfile_public(buf_view(&text), &half) != SBX_OK ||
	    key_parse_line(key_line, &blob, &key) != SBX_OK ||
	    view_eq(buf_view(&half), key.blob))
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s is not the public half of %s beside it, which ssh would use "
	    "with the certificate: make it anew with ssh-keygen -y, or name "
	    "another place with --out",
	    operand, path);
}

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	const struct options *options = values;
	const char *operand = operands[0];
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	cleanup_buf struct buf line = BUF_INIT(OPERAND_MAX);
	cleanup_buf struct buf path = BUF_INIT(PATHS_MAX);
	struct view key_line;
	enum sbx_err err = SBX_OK;

	err = ca_options_check(&options->ca, &usage, why);
	if (err != SBX_OK)
		return err;
	if (is_host(options) == (options->sandbox[0] != '\0'))
		return sbx_fail(why, SBX_USAGE,
		    "give either --sandbox or --host: see %s --help",
		    usage.program);
	if (!is_host(options))
		err = name_check_id(options->sandbox, why);
	if (err == SBX_OK && !is_host(options) && options->ttl > CHECK_TTL_MAX)
		err = sbx_fail(why, SBX_USAGE,
		    "--ttl is not in the range 1s to 24h, which is for all but "
		    "--host");
	if (err == SBX_OK)
		err = choose_path(options, operand, &path);
	if (err == SBX_OK)
		err = operand_read_line(operand, &text, &key_line, why);
	if (err == SBX_OK)
		err = check_pair(options, operand, key_line, why);
	if (err == SBX_OK)
		err = issue(
		    options, operand, key_line, buf_text(&path), &line, why);
	return err != SBX_OK ? err
			     : operand_write(buf_text(&path), &line,
				   "cannot write the certificate", why);
}

int
cmd_issue(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_ONE_FILE, run, NULL };
	struct options options = { .permit = PERMIT_UNSET };

	return verb_run(&verb, argc, argv, &options);
}
