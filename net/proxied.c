/* SPDX-License-Identifier: ISC */
#include "net/proxied.h"

#define WANTS_PASSWORD 407

enum sbx_err
proxied_judge(CURL *easy, struct view host, struct sbx_why *why)
{
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (status != WANTS_PASSWORD)
		return SBX_OK;
	return sbx_fail(why, SBX_REFUSED,
	    "the proxy before %.*s wants a user and a password, or others "
	    "(407): HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT",
	    (int)host.len, (const char *)host.p);
}
