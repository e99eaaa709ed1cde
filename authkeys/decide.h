/* SPDX-License-Identifier: ISC */
/*
 * The decision over one certificate, a pure function: request, settings and
 * time go in, a grant or a reason comes out.
 */
#ifndef SBX_AUTHKEYS_DECIDE_H
#define SBX_AUTHKEYS_DECIDE_H

#include "authkeys/request.h"
#include "authkeys/settings.h"

struct decision {
	/*
	 * The certificate, for the audit, also after an error: views into the
	 * request, nothing in it is to be believed.  Only if parsed.
	 */
	bool parsed;
	struct cert cert;
	/* What is granted; only after SBX_OK. */
	struct cert_grant grant; /* as the certificate has it */
	unsigned permit;	 /* of it, what the settings permit */
	const uint8_t *ca;	 /* the trusted key that signed; in settings */
	bool single_use;	 /* to one connection only: see admit.h */
};

/* now is a Unix time.  Call it for certificates only. */
enum sbx_err
decide(const struct request *request, const struct gate_settings *settings,
    uint64_t now, struct decision *ret, struct sbx_why *why) MUST_USE;

#endif
