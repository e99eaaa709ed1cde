/* SPDX-License-Identifier: ISC */
/*
 * What a sandbox keeps over stops: with namespaces its user's home, with the
 * workspace in it; without, the workspace alone, beside the account's home.
 */
#ifndef SBX_LOCAL_HOME_H
#define SBX_LOCAL_HOME_H

#include "broker/providers/local/box.h"

/*
 * There is one afterwards: nothing is changed if there was; otherwise a new
 * one, into which the workspace goes that an earlier release kept by itself.
 * Only while nothing of the sandbox runs.  Whoever is killed in it has lost
 * nothing: the next call goes on.
 */
enum sbx_err home_make(const struct box *box, struct sbx_why *why) MUST_USE;
/* There is none afterwards. */
enum sbx_err home_remove(const struct box *box, struct sbx_why *why) MUST_USE;

/* To ask how much it takes; -1: there is none. */
int home_open(const struct box *box) MUST_USE;

#endif
