/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/silence.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"

#define PREFIX ".silent-"
#define NAME_LEN (NAME_ALIAS_MAX + sizeof(PREFIX))
#define TEXT_MAX (FIELD_TEXT + SBX_WHY_MAX + 64)

static void
put_name(const char *suffix, char ret[static NAME_LEN])
{
	(void)snprintf(ret, NAME_LEN, PREFIX "%s", suffix);
}

/* Lines: the place, the error's name, the message. */
void
silence_find(
    int cache_fd, const char *suffix, const char *place, struct silence *ret)
{
	cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
	char name[NAME_LEN], word[32];
	struct view rest, line[3] = { { 0 } };
	enum sbx_err err;
	struct stat st;

	*ret = (struct silence){ .err = SBX_OK };
	put_name(suffix, name);
	if (fstatat(cache_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    file_read(cache_fd, name, &text, NULL) != SBX_OK)
		return;
	rest = buf_view(&text);
	for (size_t i = 0; i < 3; i++) {
		if (!text_next_line(&rest, &line[i]))
			return;
	}
	if (!view_eq_str(line[0], place) ||
	    text_copy(line[1], word, sizeof(word)) != SBX_OK ||
	    !sbx_err_find(word, &err) ||
	    text_copy(line[2], ret->why, sizeof(ret->why)) != SBX_OK)
		return;
	ret->err = err;
	ret->when = (uint64_t)st.st_mtim.tv_sec * 1000 +
	    (uint64_t)st.st_mtim.tv_nsec / 1000000;
}

void
silence_note(int cache_fd, const char *suffix, const char *place,
    enum sbx_err err, const struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
	char name[NAME_LEN];

	put_name(suffix, name);
	if (err == SBX_OK) {
		(void)unlinkat(cache_fd, name, 0);
		return;
	}
	buf_printf(&text, "%s\n%s\n%.*s\n", place, sbx_err_name(err),
	    (int)strcspn(why->text, "\n"), why->text);
	/* Without it, the next one waits as this one did. */
	if (buf_error(&text) != SBX_OK ||
	    file_write_atomic(cache_fd, name, 0600, buf_view(&text), NULL) !=
		SBX_OK)
		return;
}
