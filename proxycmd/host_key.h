/* SPDX-License-Identifier: ISC */
/*
 * KnownHostsCommand of ssh, which runs it once the server has shown its host
 * key: was the sandbox made anew since its credentials were?
 *
 * By then ssh has read key and certificate.  It reads an IdentityFile that was
 * not there, though, when it comes to it, which is after this.  So the new
 * certificate goes to CACHE_ANEW, together with its key, and the ssh that has
 * met the new sandbox gets into it.
 */
#ifndef SBX_HOST_KEY_H
#define SBX_HOST_KEY_H

#include "common/buf.h"
#include "proxycmd/delegate.h"

struct host_key_request {
	const char *cache;
	const struct alias *alias;
	const char *type; /* of the key that the server has shown, or NONE */
	const char *key;  /* in base64 */
	const struct delegate *delegate;
};

#define HOST_KEY_NONE "NONE" /* ssh asks which keys are known at all */
#define HOST_KEY_MAX 32768

/*
 * The line of known_hosts that ssh is to believe; nothing if that is the
 * broker's word no more than ssh's: then ssh alarms.  SBX_OK with *ret_status
 * of sandbox-resolve, which has told why, if the broker could not be asked.
 */
enum sbx_err host_key_put(const struct host_key_request *request,
    struct buf *ret, int *ret_status, struct sbx_why *why) MUST_USE;

#endif
