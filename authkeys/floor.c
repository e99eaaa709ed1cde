#include "authkeys/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

#define NAME "floor"
#define NAME_NEW "floor.new"
#define TEXT_MAX 24

enum sbx_err
floor_read(const struct state *state, uint64_t *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
	struct view rest, line;
	char number[TEXT_MAX];
	enum sbx_err err = state_read(state, state->dir, NAME, &text, why);

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
	    "%s/" NAME " is damaged: see Clock in sandbox-authkeys(8)",
	    state->path);
}

/* Always the same name, so that being killed leaves one file at most. */
static enum sbx_err
write_new(const struct state *state, uint64_t now, struct sbx_why *why)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n", now);
	if (unlinkat(state->dir, NAME_NEW, 0) < 0 && errno != ENOENT)
		return state_fail(state, "remove", NAME_NEW, why);
	return state_create(state, state->dir, NAME_NEW, VIEW_STR(text), why);
}

enum sbx_err
floor_raise(const struct state *state, uint64_t now, struct sbx_why *why)
{
	uint64_t old;
	enum sbx_err err = floor_read(state, &old, why);

	if (err != SBX_OK || now <= old)
		return err;
	err = write_new(state, now, why);
	if (err != SBX_OK)
		return err;
	if (renameat(state->dir, NAME_NEW, state->dir, NAME) < 0) {
		err = state_fail(state, "replace", NAME, why);
		(void)unlinkat(state->dir, NAME_NEW, 0);
		return err;
	}
	return state_sync(state, state->dir, "", why);
}
