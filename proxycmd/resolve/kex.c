/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/kex.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"
#include "net/spawn.h"
#include "proxycmd/delegate.h"
#include "proxycmd/hosts.h"

#define SECONDS 5
#define OUTPUT_MAX 65536
#define LINE "kexalgorithms "
#define SLOW "sntrup761x25519-sha512@openssh.com"
#define FAST "mlkem768x25519-sha256"
/* prepare, which ssh -G runs, has nothing to do then (main.c). */
#define PROBE DELEGATE_PROBE "=1"

/* The next name of a list with commas; false: there is none. */
static bool
next_name(struct view *rest, struct view *ret)
{
	const uint8_t *comma;

	if (rest->len == 0)
		return false;
	comma = memchr(rest->p, ',', rest->len);
	*ret = *rest;
	ret->len = comma == NULL ? rest->len : (size_t)(comma - rest->p);
	rest->p += ret->len + (comma != NULL);
	rest->len -= ret->len + (comma != NULL);
	return true;
}

static bool
is_listed(struct view list, struct view name)
{
	struct view item;

	while (next_name(&list, &item)) {
		if (view_eq(item, name))
			return true;
	}
	return false;
}

/*
 * The same names in the same order, but for those that we put in front: what
 * is asked may have been told so by an earlier session of ours.
 */
static bool
is_same_choice(struct view told, struct view built_in)
{
	const struct view ours = VIEW_STR(HOSTS_LOCAL_KEX);
	struct view rest = ours, a, b;

	while (next_name(&rest, &a)) {
		if (is_listed(told, a) != is_listed(built_in, a))
			return false;
	}
	for (;;) {
		bool more_a, more_b;

		while ((more_a = next_name(&told, &a)) && is_listed(ours, a))
			;
		while (
		    (more_b = next_name(&built_in, &b)) && is_listed(ours, b))
			;
		if (!more_a || !more_b)
			return more_a == more_b;
		if (!view_eq(a, b))
			return false;
	}
}

static bool
ask(const char *const argv[], struct buf *ret, struct view *ret_list)
{
	const struct spawn spawn = {
		.argv = argv,
		.keep = STDOUT_FILENO,
		.silence = true,
		.timeout = SECONDS,
	};
	struct view rest, line;
	int status = -1;

	if (spawn_run(&spawn, &status, ret, NULL) != SBX_OK ||
	    !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return false;
	rest = buf_view(ret);
	while (text_next_line(&rest, &line)) {
		if (line.len <= strlen(LINE) ||
		    memcmp(line.p, LINE, strlen(LINE)) != 0)
			continue;
		*ret_list =
		    VIEW(line.p + strlen(LINE), line.len - strlen(LINE));
		return true;
	}
	return false;
}

bool
kex_is_ours(const char *alias, const char *file)
{
	const char *const bare[] = { "ssh", "-F", "none", "-G", alias, NULL };
	const char *const configured[] = { "env", PROBE, "ssh",
		file == NULL ? "-G" : "-F", file == NULL ? alias : file,
		file == NULL ? NULL : "-G", alias, NULL };
	cleanup_buf struct buf first = BUF_INIT(OUTPUT_MAX);
	cleanup_buf struct buf second = BUF_INIT(OUTPUT_MAX);
	struct view built_in, told;

	return ask(bare, &first, &built_in) &&
	    is_listed(built_in, VIEW_STR(SLOW)) &&
	    !is_listed(built_in, VIEW_STR(FAST)) &&
	    ask(configured, &second, &told) && is_same_choice(told, built_in);
}
