/* SPDX-License-Identifier: ISC */
#include "proxycmd/ssh_args.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "common/file.h"

/* The options that take a word, of any release. */
#define WITH_WORD "BbcDEeFIiJLlmOoPpQRSWw"

struct ssh_args
ssh_args_of(pid_t ssh, struct buf *buf)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)ssh);
	return file_read(AT_FDCWD, path, buf, NULL) == SBX_OK
	    ? SSH_ARGS(buf_view(buf))
	    : SSH_ARGS(VIEW("", 0));
}

static bool
next_word(struct view *words, struct view *ret)
{
	size_t len =
	    words->len == 0 ? 0 : strnlen((const char *)words->p, words->len);

	if (words->len == 0)
		return false;
	*ret = VIEW(words->p, len);
	if (len < words->len)
		len++;
	*words = VIEW(words->p + len, words->len - len);
	return true;
}

/* A word of options; the program, the host and what follows are none. */
static bool
next_letters(struct ssh_args *args)
{
	struct view word;

	while (args->operands < 3 && next_word(&args->rest, &word)) {
		if (word.len < 2 || word.p[0] != '-') {
			if (args->operands++ == 1)
				args->host = word;
			continue;
		}
		if (view_eq_str(word, "--"))
			break;
		args->letters = VIEW(word.p + 1, word.len - 1);
		return true;
	}
	args->rest = VIEW("", 0);
	return false;
}

bool
ssh_args_next(struct ssh_args *args, char *ret_letter, struct view *ret_value)
{
	struct view *letters = &args->letters;
	char letter;

	if (letters->len == 0 && !next_letters(args))
		return false;
	letter = (char)letters->p[0];
	*letters = VIEW(letters->p + 1, letters->len - 1);
	*ret_letter = letter;
	*ret_value = VIEW("", 0);
	if (strchr(WITH_WORD, letter) == NULL)
		return true;
	*ret_value = *letters;
	*letters = VIEW("", 0);
	return ret_value->len > 0 || next_word(&args->rest, ret_value);
}

bool
ssh_args_option(struct view option, const char *keyword, size_t size, char *ret)
{
	size_t len = strlen(keyword);

	if (option.len <= len ||
	    strncasecmp((const char *)option.p, keyword, len) != 0 ||
	    memchr(" \t=\"", option.p[len], 4) == NULL)
		return false;
	option = VIEW(option.p + len, option.len - len);
	while (option.len > 0 && memchr(" \t=\"", option.p[0], 4) != NULL)
		option = VIEW(option.p + 1, option.len - 1);
	(void)snprintf(
	    ret, size, "%.*s", (int)option.len, (const char *)option.p);
	ret[strcspn(ret, "\" \t")] = '\0';
	return true;
}
