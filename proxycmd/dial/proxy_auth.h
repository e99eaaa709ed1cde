/* SPDX-License-Identifier: ISC */
/*
 * What the user has for HTTP proxies, in the file that credentials_file of
 * [proxy] names: lines "HOST:PORT USER PASSWORD", readable by its owner only.
 */
#ifndef SBX_PROXY_AUTH_H
#define SBX_PROXY_AUTH_H

#include "common/buf.h"
#include "proxycmd/dial/dial.h"
#include "proxycmd/dial/endpoint.h"

#define PROXY_AUTH_FILE_MAX 16384

/*
 * Append "Proxy-Authorization: Basic ...\r\n" if there are credentials for
 * that proxy, and that user if the endpoint names one; nothing otherwise.
 */
enum sbx_err
proxy_auth_put(const struct endpoint *endpoint, const struct dial_setup *setup,
    struct buf *ret, struct sbx_why *why) MUST_USE;
/* The same out of the text of the file; name stands in messages. */
enum sbx_err proxy_auth_find(struct view text, const char *name,
    const struct endpoint *endpoint, struct buf *ret,
    struct sbx_why *why) MUST_USE;

#endif
