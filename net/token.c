/* SPDX-License-Identifier: ISC */
#include "net/token.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "net/spawn.h"

#define TOKEN_WORDS_MAX 32

/* The first line, without the blanks around it; a token has none inside. */
static enum sbx_err
take_token(const char *source, struct buf *text, char *ret, size_t size,
    struct sbx_why *why)
{
	struct view rest = buf_view(text), line, word = { NULL, 0 }, more;

	if (text_next_line(&rest, &line)) {
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (!text_next_word(&line, &word) ||
		    text_next_word(&line, &more))
			word.len = 0;
	}
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] <= ' ' || word.p[i] >= 0x7f)
			word.len = 0;
	}
	if (word.len == 0 || text_copy(word, ret, size) != SBX_OK)
		return sbx_fail(why, SBX_CONFIG,
		    "%s: its first line is no token: it must be one word of "
		    "at most %zu printable characters",
		    source, size - 1);
	return SBX_OK;
}

enum sbx_err
token_of_command(const char *key, const char *command, unsigned timeout,
    char *ret, size_t size, struct sbx_why *why)
{
	cleanup_buf struct buf out = BUF_INIT(4 * size);
	const char *argv[TOKEN_WORDS_MAX + 1] = { NULL };
	char words[FIELD_TEXT + 1];
	struct spawn spawn = { argv, STDOUT_FILENO, false, NULL, timeout };
	struct view rest = VIEW_STR(command), word;
	size_t count = 0, used = 0;
	int status = 0;
	enum sbx_err err;

	while (text_next_word(&rest, &word)) {
		if (count == TOKEN_WORDS_MAX || used + word.len >= FIELD_TEXT)
			return sbx_fail(why, SBX_CONFIG,
			    "%s has more than %d words", key, TOKEN_WORDS_MAX);
		argv[count++] = words + used;
		memcpy(words + used, word.p, word.len);
		used += word.len;
		words[used++] = '\0';
	}
	if (count == 0 || words[0] != '/')
		return sbx_fail(why, SBX_CONFIG,
		    "%s must start with an absolute path", key);
	err = spawn_run(&spawn, &status, &out, why);
	if (err != SBX_OK)
		return err;
	if (status != 0)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "%s %s failed: run it to see why", key, argv[0]);
	return take_token(argv[0], &out, ret, size, why);
}

enum sbx_err
token_of_file(const char *key, const char *file, char *ret, size_t size,
    struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(4 * size);
	enum sbx_err err =
	    file_read_trusted(file, getuid(), /* forbidden= */ 077, &text, why);

	if (err == SBX_NOT_FOUND)
		return sbx_fail(
		    why, SBX_CONFIG, "%s %s does not exist", key, file);
	if (err == SBX_UNREADABLE)
		return SBX_CONFIG;
	return err != SBX_OK ? err : take_token(file, &text, ret, size, why);
}

enum sbx_err
token_find(const struct settings *settings, char *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(4 * FIELD_TEXT);
	const struct settings_broker *broker = &settings->broker;

	if (broker->token[0] != '\0') {
		buf_put_text(&text, broker->token);
		return take_token("SANDBOX_TOKEN", &text, ret, FIELD_TEXT, why);
	}
	if (broker->token_file[0] != '\0')
		return token_of_file(
		    "token_file", broker->token_file, ret, FIELD_TEXT, why);
	return broker->token_command[0] == '\0'
	    ? SBX_OK
	    : token_of_command("token_command", broker->token_command,
		  (unsigned)settings->timeout, ret, FIELD_TEXT, why);
}
