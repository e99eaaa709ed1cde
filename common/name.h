/* SPDX-License-Identifier: ISC */
/*
 * Sandbox ids and the host aliases that people type.
 *
 * id:     [a-z0-9][a-z0-9_-]{0,62}, not ending in "-"
 * alias:  ID.SUFFIX or ID.PROVIDER.SUFFIX, SUFFIX "sandbox" unless configured;
 *         a domain of the configuration is a longer suffix
 * ID.PROVIDER.SUFFIX is the sandbox ID if it is of that provider, and none
 * otherwise: PROVIDER may be a domain that the configuration lacks.
 *
 * The only parsers of either: nothing becomes part of a path, a URL or a
 * principal before it came through here.
 */
#ifndef SBX_NAME_H
#define SBX_NAME_H

#include "common/wire.h"

#define NAME_ID_MAX 63
#define NAME_ALIAS_MAX 253
#define NAME_SUFFIX_DEFAULT "sandbox"

struct alias {
	char text[NAME_ALIAS_MAX + 1]; /* as typed; safe in a path */
	char id[NAME_ID_MAX + 1];
	/* What stands between id and suffix; "" if nothing does. */
	char provider[NAME_ALIAS_MAX + 1];
};

bool name_is_id(struct view text) MUST_USE;
/* SBX_BAD_NAME with why if it is none. */
enum sbx_err name_check_id(const char *text, struct sbx_why *why) MUST_USE;
/* Dot-separated labels in the grammar of an id. */
bool name_is_suffix(const char *suffix) MUST_USE;
enum sbx_err name_parse_alias(const char *text, const char *suffix,
    struct alias *ret, struct sbx_why *why) MUST_USE;
/*
 * The same with any number of labels between id and suffix: for those who do
 * not know yet whether they are a provider or the beginning of a longer
 * suffix, that of a domain in the configuration.
 */
enum sbx_err name_parse_long_alias(const char *text, const char *suffix,
    struct alias *ret, struct sbx_why *why) MUST_USE;
/* Does text end in a dot and suffix? */
bool name_has_suffix(const char *text, const char *suffix) MUST_USE;

#endif
