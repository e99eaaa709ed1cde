/* SPDX-License-Identifier: ISC */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
	int status;
} errors[] = {
#define SBX_ROW(code, name, status, text) { name, text, status },
	SBX_ERRORS(SBX_ROW)
#undef SBX_ROW
};

static size_t
row_of(enum sbx_err err)
{
	return (unsigned)err < SBX_ERR_COUNT ? (size_t)err : SBX_INTERNAL;
}

const char *
sbx_err_name(enum sbx_err err)
{
	return errors[row_of(err)].name;
}

const char *
sbx_err_text(enum sbx_err err)
{
	return errors[row_of(err)].text;
}

int
sbx_err_exit(enum sbx_err err)
{
	return errors[row_of(err)].status;
}

bool
sbx_err_find(const char *name, enum sbx_err *ret_err)
{
	for (size_t i = 0; i < SBX_ERR_COUNT; i++) {
		if (strcmp(errors[i].name, name) == 0) {
			*ret_err = (enum sbx_err)i;
			return true;
		}
	}
	return false;
}

enum sbx_err
sbx_fail(struct sbx_why *why, enum sbx_err err, const char *fmt, ...)
{
	va_list ap;

	if (why == NULL)
		return err;
	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

const char *
sbx_why_text(const struct sbx_why *why, enum sbx_err err)
{
	if (why != NULL && why->text[0] != '\0')
		return why->text;
	return sbx_err_text(err);
}
