/* SPDX-License-Identifier: ISC */
#include "authkeys/floor.h"

#include "authkeys/mark.h"

#define NAME "floor"

enum sbx_err
floor_read(const struct state *state, uint64_t *ret, struct sbx_why *why)
{
	return mark_read(state, NAME, ret, why);
}

enum sbx_err
floor_raise(const struct state *state, uint64_t now, struct sbx_why *why)
{
	return mark_raise(state, NAME, now, why);
}
