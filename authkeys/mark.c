/* SPDX-License-Identifier: ISC */
#include "authkeys/mark.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

#define TEXT_MAX 24

enum sbx_err
mark_read(const struct state *state, const char *name, uint64_t *ret,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
	struct view rest, line;
	char number[TEXT_MAX];
	enum sbx_err err = state_read(state, state->dir, name, &text, why);

	if (err == SBX_NOT_FOUND) {
		*ret = 0;
		return SBX_OK;
	}
	if (err != SBX_OK && err != SBX_TOO_LARGE)
		return err;
	rest = buf_view(&text);
	if (err == SBX_OK && text_next_line(&rest, &line) && rest.len == 0 &&
	    text_copy(line, number, sizeof(number)) == SBX_OK &&
	    text_uint(number, 0, UINT64_MAX, ret) == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_IO,
	    "%s/%s is damaged: see Clock in sandbox-authkeys(8)", state->path,
	    name);
}

/* Always the same name, so that being killed leaves one file at most. */
static enum sbx_err
write_new(const struct state *state, const char *name, uint64_t value,
    struct sbx_why *why)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n", value);
	if (unlinkat(state->dir, name, 0) < 0 && errno != ENOENT)
		return state_fail(state, "remove", name, why);
	return state_create(state, state->dir, name, VIEW_STR(text), why);
}

enum sbx_err
mark_raise(const struct state *state, const char *name, uint64_t value,
    struct sbx_why *why)
{
	char new[MARK_NAME_MAX + 4];
	uint64_t old;
	enum sbx_err err = mark_read(state, name, &old, why);

	if (err != SBX_OK || value <= old)
		return err;
	(void)snprintf(new, sizeof(new), "%s.new", name);
	err = write_new(state, new, value, why);
	if (err != SBX_OK)
		return err;
	if (renameat(state->dir, new, state->dir, name) < 0) {
		err = state_fail(state, "replace", name, why);
		(void)unlinkat(state->dir, new, 0);
		return err;
	}
	return state_sync(state, state->dir, "", why);
}
