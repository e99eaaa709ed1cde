/* SPDX-License-Identifier: ISC */
#include "proxycmd/shell.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

#define SH "/bin/sh"
/* What ssh reads before a server's banner (SSH_MAX_PRE_BANNER_LINES). */
#define BANNER_LINES 1000
#define BANNER_LINE 8000

enum reads {
	NEVER,
	SOMETIMES, /* see is_exposed */
	ALWAYS,
};

#define FILES_MAX 7

/* A file may begin with "~" or with the variable that names its folder. */
static const struct kind {
	const char *name;
	enum reads reads;
	const char *bare;   /* option to read none */
	const char *source; /* reads the file behind the command line */
	const char *files[FILES_MAX];
} kinds[] = {
	{ "bash", SOMETIMES, "--norc", ". \"$0\"; " SHELL_EXEC,
	    { "$BASH_ENV", "/etc/bash.bashrc", "~/.bashrc" } },
	{ "zsh", ALWAYS, "-f", ". \"$0\"; " SHELL_EXEC,
	    { "/etc/zshenv", "/etc/zsh/zshenv", "$ZDOTDIR/.zshenv",
		"~/.zshenv" } },
	{ "fish", ALWAYS, "--no-config", "source $argv[1]; " SHELL_EXEC,
	    { "/etc/fish/conf.d/*.fish", "$XDG_CONFIG_HOME/fish/conf.d/*.fish",
		"~/.config/fish/conf.d/*.fish", "/etc/fish/config.fish",
		"$XDG_CONFIG_HOME/fish/config.fish",
		"~/.config/fish/config.fish" } },
	{ "tcsh", ALWAYS, "-f", "source $argv[1]; " SHELL_EXEC,
	    { "/etc/csh.cshrc", "~/.tcshrc", "~/.cshrc" } },
	{ "csh", ALWAYS, "-f", "source $argv[1]; " SHELL_EXEC,
	    { "/etc/csh.cshrc", "~/.tcshrc", "~/.cshrc" } },
	{ .name = "sh", .reads = NEVER },
	{ .name = "dash", .reads = NEVER },
	{ .name = "ksh", .reads = NEVER },
	{ .name = "ksh93", .reads = NEVER },
	{ .name = "mksh", .reads = NEVER },
	{ .name = "yash", .reads = NEVER },
};

static const struct kind *
kind_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

void
shell_find(struct shell *ret)
{
	*ret = (struct shell){ getenv("SHELL"), getenv("SHLVL"),
		getenv("BASH_ENV") };
	if (ret->path == NULL || *ret->path == '\0')
		ret->path = SH;
}

/*
 * bash takes a socket on its input for the network's, and then reads
 * ~/.bashrc, if it is the first shell.  One that we do not know may read
 * anything.
 */
bool
shell_is_exposed(const struct shell *shell)
{
	const struct kind *kind = kind_of(shell->path);
	const char *bash_env = shell->bash_env;
	uint64_t level;

	if (kind == NULL || kind->reads == ALWAYS)
		return true;
	return kind->reads == SOMETIMES &&
	    ((bash_env != NULL && *bash_env != '\0') || shell->level == NULL ||
		text_uint(shell->level, 1, INT64_MAX, &level) != SBX_OK);
}

/* What comes before, as far as ssh would read over it. */
static bool
is_harmless(const struct buf *said)
{
	struct view rest = buf_view(said), line;
	size_t lines = 0;

	if (memchr(said->p, '\0', said->len) != NULL)
		return false;
	while (text_next_line(&rest, &line)) {
		if (++lines > BANNER_LINES || line.len > BANNER_LINE ||
		    (line.len >= 4 && memcmp(line.p, "SSH-", 4) == 0))
			return false;
	}
	return true;
}

/* Its first line with something on it. */
static void
take_text(const struct buf *said, char ret[static SHELL_TEXT])
{
	cleanup_buf struct buf text = BUF_INIT(8 * SHELL_TEXT);
	struct view rest = buf_view(said), line;

	while (text_next_line(&rest, &line)) {
		if (line.len == 0)
			continue;
		text_escape(line, SHELL_TEXT / 2, /* quote= */ false, &text);
		break;
	}
	(void)snprintf(ret, SHELL_TEXT, "%s", buf_text(&text));
}

static enum shell_verdict
start(const struct shell *shell, bool pipes, struct buf *said, unsigned *ret_ms)
{
	struct shell_run run = { .argv = { shell->path, "-c", SHELL_EXEC },
		.level = shell->level,
		.bash_env = shell->bash_env,
		.pipes = pipes };

	return shell_run(&run, said, ret_ms);
}

/* Does this file alone do the same? */
static bool
is_culprit(const struct shell *shell, const struct kind *kind, const char *file,
    enum shell_verdict verdict)
{
	cleanup_buf struct buf said = BUF_INIT(SHELL_SAID_MAX);
	struct shell_run run = { .argv = { shell->path, kind->bare, "-c",
				     kind->source, file },
		.level = shell->level };
	unsigned ms;

	return shell_run(&run, &said, &ms) == verdict;
}

/* The pattern with its first word replaced; false if there is none. */
static bool
expand(const struct shell *shell, const char *pattern, const char *home,
    char ret[static PATHS_MAX])
{
	size_t len = strcspn(pattern, "/");
	char name[32];
	const char *value = pattern;

	if (*pattern == '/')
		len = 0;
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, pattern);
	if (*name == '~')
		value = home;
	else if (strcmp(name, "$BASH_ENV") == 0)
		value = shell->bash_env;
	else if (*name == '$')
		value = getenv(name + 1);
	else
		value = "";
	return value != NULL && (len == 0 || *value == '/') &&
	    snprintf(ret, PATHS_MAX, "%s%s", value, pattern + len) < PATHS_MAX;
}

static void
find_culprit(const struct shell *shell, const char *home,
    enum shell_verdict verdict, char ret[static PATHS_MAX])
{
	char real[PATH_MAX], pattern[PATHS_MAX];
	const struct kind *kind = kind_of(shell->path);

	/* "csh" may be another one's name, and "rbash" bash. */
	if (kind == NULL && realpath(shell->path, real) != NULL)
		kind = kind_of(real);
	for (size_t i = 0; kind != NULL && i < FILES_MAX; i++) {
		glob_t found;

		if (kind->files[i] == NULL ||
		    !expand(shell, kind->files[i], home, pattern) ||
		    glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc && *ret == '\0'; j++) {
			const char *file = found.gl_pathv[j];

			if (strlen(file) < PATHS_MAX &&
			    is_culprit(shell, kind, file, verdict))
				(void)snprintf(ret, PATHS_MAX, "%s", file);
		}
		globfree(&found);
	}
}

/* ssh with pipes instead: would it get to us, and sooner? */
static bool
relay_helps(const struct shell *shell)
{
	cleanup_buf struct buf said = BUF_INIT(SHELL_SAID_MAX);
	unsigned piped;

	switch (start(shell, /* pipes= */ true, &said, &piped)) {
	case SHELL_QUIET:
		return true;
	case SHELL_LOUD:
		return is_harmless(&said);
	case SHELL_ENDS:
	case SHELL_STUCK:
		break;
	}
	return false;
}

void
shell_judge(
    const struct shell *shell, const char *home, struct shell_finding *ret)
{
	cleanup_buf struct buf said = BUF_INIT(SHELL_SAID_MAX);

	*ret = (struct shell_finding){ .verdict = SHELL_QUIET };
	ret->verdict = start(shell, /* pipes= */ false, &said, &ret->ms);
	if (ret->verdict == SHELL_QUIET)
		return;
	take_text(&said, ret->text);
	ret->relay = relay_helps(shell);
	find_culprit(shell, home, ret->verdict, ret->file);
}

void
shell_put(const struct shell *shell, const struct shell_finding *finding,
    char ret[static SHELL_SAYS])
{
	const char *file = finding->file;
	char whose[PATHS_MAX + 32];

	(void)snprintf(
	    whose, sizeof(whose), "a start-up file of %s", shell->path);
	if (*file == '\0')
		file = whose;
	switch (finding->verdict) {
	case SHELL_QUIET:
		*ret = '\0';
		break;
	case SHELL_LOUD:
		(void)snprintf(
		    ret, SHELL_SAYS, "%s prints '%s'", file, finding->text);
		break;
	case SHELL_ENDS:
		(void)snprintf(ret, SHELL_SAYS,
		    "%s ends the shell before it runs anything", file);
		break;
	case SHELL_STUCK:
		(void)snprintf(ret, SHELL_SAYS,
		    "%s takes more than a second, or waits for input", file);
		break;
	}
}
