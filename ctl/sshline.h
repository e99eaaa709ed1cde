/* SPDX-License-Identifier: ISC */
/*
 * Command lines of ssh(1) and its like for a sandbox: whether they would work,
 * how they are shown, becoming one.
 */
#ifndef SBX_CTL_SSHLINE_H
#define SBX_CTL_SSHLINE_H

#include "common/buf.h"
#include "common/name.h"
#include "common/paths.h"

/*
 * What ssh calls an operand (ctl_check_name).  Whether it knows that name
 * sshline_check says.
 */
enum sbx_err sshline_name(const char *text, char ret[static NAME_ALIAS_MAX + 1],
    struct sbx_why *why) MUST_USE;
/*
 * Would ssh go through sandbox-proxy, with these options of its own (-F, -o)?
 * SBX_CONFIG, why saying what to do.
 */
enum sbx_err sshline_check(const char *name, char *const *config, int count,
    struct sbx_why *why) MUST_USE;

/*
 * Credentials of that life (resolve_prepare), and then that: an error is told
 * by us, and the program finds a life that it never asks for.
 */
enum sbx_err sshline_prepare(const struct paths *paths, const char *name,
    uint64_t ttl, char *const *config, int count, int *ret_status,
    struct sbx_why *why) MUST_USE;

/* One word as a POSIX shell reads it back. */
void sshline_quote(const char *word, struct buf *ret);
/* All of them, between blanks. */
void sshline_put(const char *const argv[], struct buf *ret);
/* That on stdout; the exit status. */
int sshline_print(const char *const argv[]);
/* Returns only if it cannot, with the exit status, that being told. */
int sshline_become(const char *const argv[]);

#endif
