/* SPDX-License-Identifier: ISC */
#include "certs/cmd/operand.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "certs/keyfile.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

enum sbx_err
field_arguments(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	struct arguments *list =
	    (struct arguments *)((char *)object + field->offset);

	if (*text == '\0')
		return sbx_fail(why, SBX_BAD_VALUE, "%s is empty", field->name);
	if (list->count == ARGUMENTS_MAX)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s is given more than %d times", field->name,
		    ARGUMENTS_MAX);
	list->arg[list->count++] = text;
	return SBX_OK;
}

bool
operand_is_stdin(const char *operand)
{
	return strcmp(operand, "-") == 0;
}

const char *
operand_name(const char *operand)
{
	/* As ssh-keygen calls it. */
	return operand_is_stdin(operand) ? "(stdin)" : operand;
}

enum sbx_err
operand_read(const char *operand, struct buf *ret, struct sbx_why *why)
{
	cleanup_close int opened = -1;
	int fd = STDIN_FILENO;
	enum sbx_err err;

	if (!operand_is_stdin(operand))
		fd = opened = open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return sbx_fail(why,
		    errno == ENOENT ? SBX_NOT_FOUND : SBX_UNREADABLE,
		    "cannot open %s: %s", operand, strerror(errno));
	err = file_read_fd(fd, ret);
	if (err == SBX_IO)
		return sbx_fail(why, SBX_UNREADABLE, "cannot read %s: %s",
		    operand_name(operand), strerror(errno));
	if (err == SBX_TOO_LARGE)
		return sbx_fail(why, err, "%s is larger than %zu bytes",
		    operand_name(operand), ret->cap);
	return err;
}

bool
operand_skips(struct view line)
{
	struct view word;

	return !text_next_word(&line, &word) || word.p[0] == '#';
}

enum sbx_err
operand_read_line(const char *operand, struct buf *text, struct view *ret,
    struct sbx_why *why)
{
	enum sbx_err err = operand_read(operand, text, why);
	struct view rest, line;
	size_t count = 0;
	bool private_key = false;

	if (err != SBX_OK)
		return err;
	rest = buf_view(text);
	while (text_next_line(&rest, &line)) {
		if (operand_skips(line))
			continue;
		private_key = private_key || view_eq_str(line, KEYFILE_BEGIN);
		*ret = line;
		count++;
	}
	if (count == 1)
		return SBX_OK;
	if (private_key)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s is a private key: give the public one, %s.pub",
		    operand_name(operand), operand_name(operand));
	return sbx_fail(why, SBX_BAD_VALUE, "%s has %s: give a file with one",
	    operand_name(operand),
	    count == 0 ? "no key in it" : "more than one key in it");
}

enum sbx_err
operand_write(const char *operand, const struct buf *bytes, const char *failure,
    struct sbx_why *why)
{
	if (buf_error(bytes) != SBX_OK)
		return buf_error(bytes);
	if (!operand_is_stdin(operand))
		return file_write_atomic(
		    AT_FDCWD, operand, 0644, buf_view(bytes), why);
	if (file_write_fd(STDOUT_FILENO, buf_view(bytes)) != SBX_OK)
		return sbx_fail(
		    why, SBX_IO, "%s: %s", failure, strerror(errno));
	return SBX_OK;
}
