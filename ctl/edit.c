/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "ctl/ctl.h"
#include "ctl/inside.h"
#include "ctl/own_config.h"
#include "ctl/sshline.h"
#include "net/spawn.h"

#define ASK_SECONDS 60
#define FOLDER_MAX 1024
#define WORDS 4
#define TEMPLATE_MAX 2048

/*
 * How each is told to open a folder of a host that ssh knows: %h is its name,
 * %f the folder, and %u that for a URL.
 */
static const struct {
	const char *name;
	const char *words[WORDS];
} editors[] = {
	{ "code", { "code", "--remote", "ssh-remote+%h", "%f" } },
	{ "cursor", { "cursor", "--remote", "ssh-remote+%h", "%f" } },
	{ "zed", { "zed", "ssh://%h%u" } },
	/* Its Toolbox takes a link. */
	{ "jetbrains",
	    { "xdg-open",
		"jetbrains://gateway/ssh/environment?h=%h&launchIde=true"
		"&projectHint=%u" } },
};

static const char *const editor_names[] = { "code", "cursor", "zed",
	"jetbrains", NULL };

struct values {
	int in; /* index into editors */
	bool print;
};

static const struct opt options[] = {
	{ 0, "EDITOR",
	    { "in", field_choice, offsetof(struct values, in), 0, 0, "code",
		"which", editor_names } },
	{ 0, NULL,
	    { "print", field_bool, offsetof(struct values, print), 0, 0, NULL,
		"print its command line instead of running it", NULL } },
};

static const struct usage usage = {
	.program = "sandboxctl open",
	.args = "[options] ID",
	.summary = "Open a sandbox's workspace in an editor that knows ssh.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
};

/* Where its workspace is, by what it says itself: a path in plain letters. */
static enum sbx_err
find_folder(const char *name, char ret[static FOLDER_MAX], struct sbx_why *why)
{
	cleanup_buf struct buf line = BUF_INIT(INSIDE_MAX);
	cleanup_buf struct buf says = BUF_INIT(FOLDER_MAX);
	cleanup_close int config_fd = -1;
	char config[PATHS_MAX];
	const char *argv[] = { "ssh", "-F", config, "-oBatchMode=yes", "-T",
		name, "--", NULL, NULL };
	struct spawn spawn = { argv, STDOUT_FILENO, false, NULL, ASK_SECONDS };
	struct view rest, path = { NULL, 0 };
	int status = 0;
	enum sbx_err err = own_config_open(name, &config_fd, config, why);

	inside_workspace(&line);
	argv[7] = buf_text(&line);
	if (err == SBX_OK)
		err = spawn_run(&spawn, &status, &says, why);
	if (err != SBX_OK)
		return err;
	rest = buf_view(&says);
	if (!text_next_line(&rest, &path) || path.len == 0 ||
	    path.p[0] != '/' || text_copy(path, ret, FOLDER_MAX) != SBX_OK)
		status = -1;
	for (size_t i = 0; status == 0 && i < path.len; i++) {
		if (path.p[i] < 0x20 || path.p[i] == 0x7f)
			status = -1;
	}
	if (status != 0)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "%s does not say where its workspace is", name);
	return SBX_OK;
}

static void
put_url(const char *text, struct buf *ret)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			buf_put_u8(ret, (uint8_t)*text);
		else
			buf_printf(ret, "%%%02X", (unsigned char)*text);
	}
}

static void
put_word(
    const char *template, const char *name, const char *folder, struct buf *ret)
{
	for (; *template != '\0'; template ++) {
		if (*template != '%') {
			buf_put_u8(ret, (uint8_t) * template);
			continue;
		}
		template ++;
		if (*template == 'h')
			buf_put_text(ret, name);
		else if (*template == 'f')
			buf_put_text(ret, folder);
		else
			put_url(folder, ret);
	}
	buf_put_u8(ret, '\0');
}

static int
go(const struct values *values, const char *name, const char *folder)
{
	cleanup_buf struct buf text = BUF_INIT(WORDS * 4 * TEMPLATE_MAX);
	const char *const *words = editors[values->in].words;
	const char *command[WORDS + 1] = { NULL };
	size_t count = 0, at = 0;

	while (count < WORDS && words[count] != NULL)
		put_word(words[count++], name, folder, &text);
	if (buf_error(&text) != SBX_OK)
		return ctl_failure(SBX_TOO_LARGE, NULL);
	for (size_t i = 0; i < count; i++) {
		command[i] = buf_text(&text) + at;
		at += strlen(command[i]) + 1;
	}
	return values->print ? sshline_print(command) : sshline_become(command);
}

int
ctl_edit(int argc, char **argv)
{
	struct values values = { 0 };
	struct sbx_why why = { "" };
	const char *operand = NULL;
	struct paths paths;
	char name[NAME_ALIAS_MAX + 1], folder[FOLDER_MAX];
	int status = 0;
	enum opt_result result =
	    ctl_one_name(&usage, argc, argv, &values, &operand);
	enum sbx_err err;

	if (result != OPT_RUN)
		return opt_status(result);
	err = sshline_name(operand, name, &why);
	if (err == SBX_OK)
		err = paths_find(&paths, &why);
	if (err == SBX_OK)
		err = sshline_prepare(
		    &paths, name, /* ttl= */ 0, NULL, 0, &status, &why);
	if (err == SBX_OK && status != 0)
		return status;
	if (err == SBX_OK)
		err = find_folder(name, folder, &why);
	return err != SBX_OK ? ctl_failure(err, &why)
			     : go(&values, name, folder);
}
