/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/kex.h"

#include <string.h>

#include "proxycmd/hosts.h"

#define OPTION "kexalgorithms"
#define SLOW "sntrup761x25519-sha512@openssh.com"
#define FAST "mlkem768x25519-sha256"

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

bool
kex_is_ours(const struct caller *caller, const char *alias)
{
	cleanup_buf struct buf first = BUF_INIT(CALLER_SAYS_MAX);
	cleanup_buf struct buf second = BUF_INIT(CALLER_SAYS_MAX);
	struct view built_in, told;

	return caller_ask(caller, alias, "none", &first) &&
	    caller_value(&first, OPTION, &built_in) &&
	    is_listed(built_in, VIEW_STR(SLOW)) &&
	    !is_listed(built_in, VIEW_STR(FAST)) &&
	    caller_ask(caller, alias, NULL, &second) &&
	    caller_value(&second, OPTION, &told) &&
	    is_same_choice(told, built_in);
}
