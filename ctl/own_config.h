/* SPDX-License-Identifier: ISC */
/*
 * An ssh_config(5) that knows how to reach a sandbox and nothing else: for an
 * ssh that is to do as we say, whatever its user has configured.
 */
#ifndef SBX_CTL_OWN_CONFIG_H
#define SBX_CTL_OWN_CONFIG_H

#include "common/buf.h"
#include "common/paths.h"

#define OWN_CONFIG_MAX 16384

/* Its text; credentials are in cache, NULL being the usual. */
enum sbx_err own_config_put(const char *cache, const char *name,
    struct buf *ret, struct sbx_why *why) MUST_USE;
/*
 * The same in memory: *ret_fd, and the path that other programs find it by as
 * long as that is open.
 */
enum sbx_err own_config_open(const char *name, int *ret_fd,
    char ret_path[static PATHS_MAX], struct sbx_why *why) MUST_USE;

#endif
