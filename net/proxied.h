/* SPDX-License-Identifier: ISC */
/*
 * What a libcurl request came to at the HTTP proxy that it was sent through
 * ($https_proxy).
 */
#ifndef SBX_NET_PROXIED_H
#define SBX_NET_PROXIED_H

#include <curl/curl.h>

#include "common/wire.h"

/*
 * SBX_REFUSED if it was the proxy that refused, before host was reached;
 * otherwise SBX_OK: what happened was not its doing.
 */
enum sbx_err
proxied_judge(CURL *easy, struct view host, struct sbx_why *why) MUST_USE;

#endif
