/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/key.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "certs/cert.h"
#include "common/text.h"

#define PUBLIC_TAIL ".pub"

static enum sbx_err
take_pair(
    const struct keypair *pair, const char *comment, struct login_key *ret)
{
	key_put_ed25519(pair->public, &ret->blob);
	keyfile_put(pair, comment, &ret->private_key);
	return buf_error(&ret->blob) != SBX_OK ? buf_error(&ret->blob)
					       : buf_error(&ret->private_key);
}

enum sbx_err
login_key_make(const char *comment, struct login_key *ret, struct sbx_why *why)
{
	cleanup_keypair struct keypair pair;

	(void)why;
	keypair_generate(&pair);
	return take_pair(&pair, comment, ret);
}

enum sbx_err
login_key_keep(const char *path, const char *comment, uid_t owner,
    struct login_key *ret, struct sbx_why *why)
{
	cleanup_keypair struct keypair pair;
	enum sbx_err err = keyfile_read(path, owner, &pair, why);

	return err != SBX_OK ? err : take_pair(&pair, comment, ret);
}

/* The private key beside PATH.pub, if it is a file. */
static void
find_private(const char *path, char ret[static LOGIN_KEY_PATH])
{
	size_t len = strlen(path), tail = strlen(PUBLIC_TAIL);

	if (len <= tail || strcmp(path + len - tail, PUBLIC_TAIL) != 0 ||
	    text_copy(VIEW(path, len - tail), ret, LOGIN_KEY_PATH) != SBX_OK ||
	    faccessat(AT_FDCWD, ret, R_OK, AT_EACCESS) < 0)
		ret[0] = '\0';
}

enum sbx_err
login_key_own(const char *path, struct login_key *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(2 * KEY_BLOB_MAX);
	struct public_key key;
	struct view rest, line = { NULL, 0 };
	struct sbx_why own = { "" };
	enum sbx_err err = file_read(AT_FDCWD, path, &text, &own);

	if (err == SBX_OK) {
		rest = buf_view(&text);
		if (!text_next_line(&rest, &line) ||
		    key_parse_line(line, &ret->blob, &key) != SBX_OK)
			return sbx_fail(why, SBX_CONFIG,
			    "public_key %s holds no public key: name a .pub "
			    "file",
			    path);
		key_put_line(key.blob, NULL, &ret->public_line);
		buf_put_text(&ret->public_line, "\n");
		find_private(path, ret->link);
		return buf_error(&ret->public_line);
	}
	/* NOT_FOUND would read as a missing sandbox. */
	return err == SBX_NOT_FOUND
	    ? sbx_fail(why, SBX_CONFIG, "public_key %s does not exist", path)
	    : sbx_fail(why, err == SBX_UNREADABLE ? SBX_CONFIG : err,
		  "public_key: %s", sbx_why_text(&own, err));
}

void
login_key_put_certified(const struct login_key *key, struct view certificate,
    const char *comment, struct buf *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	cleanup_keypair struct keypair pair;
	struct cert cert;
	struct view line;

	if (key->private_key.len > 0 && text_next_line(&certificate, &line) &&
	    cert_parse_line(line, &blob, &cert) == SBX_OK &&
	    keyfile_parse(buf_view(&key->private_key), &pair) == SBX_OK)
		keyfile_put_certified(&pair, buf_view(&blob), comment, ret);
}

void
login_key_free(struct login_key *key)
{
	buf_free(&key->blob);
	buf_free(&key->private_key);
	buf_free(&key->public_line);
}
