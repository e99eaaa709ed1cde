/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <fcntl.h>
#include <string.h>

#include "certs/cmd/ca_files.h"
#include "certs/cmd/ca_source.h"
#include "certs/check.h"
#include "certs/cmd/operand.h"
#include "certs/cmd/verb.h"
#include "common/file.h"
#include "common/paths.h"

struct options {
	char next[FIELD_TEXT];
	char trusted[FIELD_TEXT];
	char comment[FIELD_TEXT];
};

static const struct opt rows[] = {
	VERB_ROW(0, "FILE", "next", field_text, next,
	    .help = "the new CA, else OLD-next"),
	VERB_ROW(0, "FILE", "trusted", field_text, trusted,
	    .help = "where both public keys go, else OLD-trusted"),
	VERB_ROW('C', "TEXT", "comment", field_text, comment, .def = CA_COMMENT,
	    .help = "comment in the new files"),
};

static const struct usage usage = {
	.program = "sandbox-cert ca-rotate",
	.args = "[options] OLD.pub",
	.summary = "Make the CA that comes after another one, and the "
		   "trusted_ca file for the time in which both count",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

static bool
has(const struct ca_set *set, const uint8_t key[static KEY_ED25519_LEN])
{
	for (size_t i = 0; i < set->count; i++) {
		if (memcmp(set->key[i], key, KEY_ED25519_LEN) == 0)
			return true;
	}
	return false;
}

static enum sbx_err
add(struct ca_set *set, const uint8_t key[static KEY_ED25519_LEN],
    struct sbx_why *why)
{
	if (has(set, key))
		return SBX_OK;
	if (set->count == CHECK_CA_MAX)
		return sbx_fail(why, SBX_TOO_LARGE,
		    "more than %d CA keys would be trusted: remove old ones",
		    CHECK_CA_MAX);
	memcpy(set->key[set->count++], key, KEY_ED25519_LEN);
	return SBX_OK;
}

/* What is trusted already stays so: somebody may be in the middle of it. */
static enum sbx_err
read_trusted(const char *path, struct ca_set *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	enum sbx_err err = operand_read(path, &text, why);

	if (err == SBX_NOT_FOUND) {
		ret->count = 0;
		return SBX_OK;
	}
	if (err == SBX_OK)
		err = ca_set_parse(path, buf_view(&text), ret, why);
	if (err == SBX_OK && ret->count > CHECK_CA_MAX - 2)
		return sbx_fail(why, SBX_TOO_LARGE,
		    "%s has %zu CA keys already, and there is room for %d: "
		    "take out those that have ended",
		    path, ret->count, CHECK_CA_MAX);
	return err;
}

static enum sbx_err
write_trusted(const char *path, const struct ca_set *set, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);

	for (size_t i = 0; i < set->count; i++) {
		cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);

		key_put_ed25519(set->key[i], &blob);
		key_put_line(buf_view(&blob), CA_COMMENT, &text);
		buf_put_text(&text, "\n");
		buf_fail(&text, buf_error(&blob));
	}
	if (buf_error(&text) != SBX_OK)
		return buf_error(&text);
	return file_write_atomic(AT_FDCWD, path, 0644, buf_view(&text), why);
}

/* OLD.pub and "-next" to OLD-next. */
static enum sbx_err
choose_path(const char *chosen, const char *old, const char *ending,
    struct buf *ret, struct sbx_why *why)
{
	size_t len = strlen(old);

	if (chosen[0] != '\0') {
		buf_put_text(ret, chosen);
		return buf_error(ret);
	}
	if (len <= 4 || strcmp(old + len - 4, ".pub") != 0)
		return sbx_fail(why, SBX_USAGE,
		    "%s does not end in .pub: give --next and --trusted", old);
	buf_put(ret, old, len - 4);
	buf_put_text(ret, ending);
	return buf_error(ret);
}

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	const struct options *options = values;
	const char *old = operands[0];
	cleanup_buf struct buf next = BUF_INIT(PATHS_MAX);
	cleanup_buf struct buf trusted = BUF_INIT(PATHS_MAX);
	uint8_t old_key[KEY_ED25519_LEN], next_key[KEY_ED25519_LEN];
	struct ca_set set = { 0 };
	enum sbx_err err = ca_comment_check(options->comment, why);

	if (err == SBX_OK)
		err = ca_source_public(old, old_key, why);
	if (err == SBX_OK)
		err = choose_path(options->next, old, "-next", &next, why);
	if (err == SBX_OK)
		err = choose_path(
		    options->trusted, old, "-trusted", &trusted, why);
	if (err == SBX_OK)
		err = read_trusted(buf_text(&trusted), &set, why);
	if (err == SBX_OK)
		err = add(&set, old_key, why);
	if (err == SBX_OK)
		err = ca_set_check(old, &set, why);
	if (err == SBX_OK)
		err = ca_files_make(
		    buf_text(&next), options->comment, next_key, why);
	if (err == SBX_EXISTS)
		return sbx_fail(why, err,
		    "%s, or its .pub, already exists: name another file with "
		    "--next",
		    buf_text(&next));
	if (err == SBX_OK)
		err = add(&set, next_key, why);
	return err != SBX_OK ? err
			     : write_trusted(buf_text(&trusted), &set, why);
}

int
cmd_ca_rotate(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_ONE_FILE, run, NULL };
	struct options options = { 0 };

	return verb_run(&verb, argc, argv, &options);
}
