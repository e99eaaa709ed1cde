/* SPDX-License-Identifier: ISC */
#include "certs/cmd/ca_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

/* A CA that is overwritten locks everybody out: never replace a file. */
static enum sbx_err
write_new(const char *path, mode_t mode, struct view bytes, struct sbx_why *why)
{
	cleanup_close int fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return sbx_fail(why, SBX_EXISTS,
		    "%s already exists: choose another name", path);
	if (fd < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot create %s: %s", path, strerror(errno));
	if (fchmod(fd, mode) < 0 || file_write_fd(fd, bytes) != SBX_OK ||
	    fsync(fd) < 0) {
		enum sbx_err err = sbx_fail(
		    why, SBX_IO, "cannot write %s: %s", path, strerror(errno));

		(void)unlink(path);
		return err;
	}
	return SBX_OK;
}

enum sbx_err
ca_comment_check(const char *comment, struct sbx_why *why)
{
	for (; *comment != '\0'; comment++) {
		if ((unsigned char)*comment < 0x20 || *comment == 0x7f)
			return sbx_fail(why, SBX_USAGE,
			    "the comment has control characters in it");
	}
	return SBX_OK;
}

enum sbx_err
ca_files_make(const char *path, const char *comment,
    uint8_t ret[static KEY_ED25519_LEN], struct sbx_why *why)
{
	cleanup_keypair struct keypair pair;
	cleanup_buf struct buf private = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf public = BUF_INIT(KEYFILE_MAX);
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	cleanup_buf struct buf public_path = BUF_INIT(PATH_MAX);
	enum sbx_err err;

	keypair_generate(&pair);
	keyfile_put(&pair, comment, &private);
	key_put_ed25519(pair.public, &blob);
	key_put_line(buf_view(&blob), comment, &public);
	buf_put_text(&public, "\n");
	buf_printf(&public_path, "%s.pub", path);
	buf_fail(&private, buf_error(&public));
	buf_fail(&private, buf_error(&public_path));
	if (buf_error(&private) != SBX_OK)
		return buf_error(&private);

	err = write_new(path, 0600, buf_view(&private), why);
	if (err != SBX_OK)
		return err;
	err = write_new(buf_text(&public_path), 0644, buf_view(&public), why);
	if (err != SBX_OK) {
		(void)unlink(path);
		return err;
	}
	memcpy(ret, pair.public, sizeof(pair.public));
	return SBX_OK;
}
