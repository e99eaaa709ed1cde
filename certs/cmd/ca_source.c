/* SPDX-License-Identifier: ISC */
#include "certs/cmd/ca_source.h"

#include <string.h>
#include <unistd.h>

#include "certs/cmd/operand.h"

enum sbx_err
ca_source_public(
    const char *path, uint8_t ret[static KEY_ED25519_LEN], struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(OPERAND_MAX);
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	struct public_key key;
	struct view line;
	enum sbx_err err = operand_read_line(path, &text, &line, why);

	if (err != SBX_OK)
		return err;
	err = key_parse_line(line, &blob, &key);
	if (err == SBX_OK)
		err = key_ed25519(&key, ret);
	if (err != SBX_OK)
		return sbx_fail(why, err,
		    "%s: %s: give the CA's Ed25519 public key",
		    operand_name(path), sbx_err_text(err));
	return SBX_OK;
}

enum sbx_err
ca_options_check(const struct ca_options *options, const struct usage *usage,
    struct sbx_why *why)
{
	bool by_file = options->file[0] != '\0';

	if (by_file != (options->agent[0] != '\0'))
		return SBX_OK;
	return sbx_fail(why, SBX_USAGE, "%s: see %s --help",
	    by_file ? "--ca and --ca-agent exclude each other"
		    : "--ca, or --ca-agent, is missing",
	    usage->program);
}

static bool
ends_in_pub(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".pub") == 0;
}

enum sbx_err
ca_source_open(const struct ca_options *options, const char *agent_socket,
    struct ca_source *ret, struct sbx_why *why)
{
	enum sbx_err err;

	ret->pair = (struct keypair){ .public = { 0 } };
	if (options->file[0] != '\0') {
		if (ends_in_pub(options->file))
			return sbx_fail(why, SBX_BAD_VALUE,
			    "%s is a public key: give the private one, which "
			    "lies beside it",
			    options->file);
		err = keyfile_read(options->file, getuid(), &ret->pair, why);
		ret->key = ca_key_of(&ret->pair);
		return err;
	}
	if (agent_socket == NULL || *agent_socket == '\0')
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "--ca-agent: SSH_AUTH_SOCK is not set: start ssh-agent");
	err = ca_source_public(options->agent, ret->public, why);
	ret->agent = (struct agent){ agent_socket, AGENT_TIMEOUT, ret->public };
	ret->key = ca_key_of_agent(&ret->agent);
	return err;
}

void
ca_source_close(struct ca_source *source)
{
	keypair_wipe(&source->pair);
}
