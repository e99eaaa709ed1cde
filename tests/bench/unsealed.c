/* SPDX-License-Identifier: ISC */
/* The gate without its seal: for what that costs, and for valgrind. */
#include "authkeys/limits.h"

enum sbx_err __wrap_limits_seal(struct sbx_why *why);

enum sbx_err
__wrap_limits_seal(struct sbx_why *why)
{
	(void)why;
	return SBX_OK;
}
