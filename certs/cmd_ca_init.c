#include "certs/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "certs/keyfile.h"
#include "certs/operand.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

struct options {
	char comment[FIELD_TEXT];
};

static const struct opt rows[] = {
	{ 'C', "TEXT",
	    { .name = "comment",
		.parse = field_text,
		.offset = offsetof(struct options, comment),
		.def = "sandbox-ca",
		.help = "comment in both files" } },
};

static const struct usage usage = {
	.program = "sandbox-cert ca-init",
	.args = "[options] FILE",
	.summary = "Make an Ed25519 CA: FILE, only for its owner, and FILE.pub",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

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

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

static enum sbx_err
make_ca(const char *path, const char *comment, struct sbx_why *why)
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
	if (err != SBX_OK)
		(void)unlink(path);
	return err;
}

int
cmd_ca_init(int argc, char **argv)
{
	struct options options;
	struct sbx_why why = { "" };
	const char *path;
	enum sbx_err err;

	switch (operand_parse(&usage, argc, argv, &options, &path)) {
	case OPT_DONE:
		return EX_OK;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	if (!is_printable(options.comment) || operand_is_stdin(path)) {
		log_error("%s",
		    operand_is_stdin(path)
			? "a CA key goes into a file: name one"
			: "the comment has control characters in it");
		return EX_USAGE;
	}
	err = make_ca(path, options.comment, &why);
	return err == SBX_OK ? EX_OK : log_failure(err, &why);
}
