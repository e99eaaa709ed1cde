/* SPDX-License-Identifier: ISC */
/*
 * trusted_ca of a broker: the CAs one of which must have signed.
 */
#ifndef SBX_RESOLVE_TRUSTED_H
#define SBX_RESOLVE_TRUSTED_H

#include "certs/check.h"
#include "net/settings.h"

/* broker->trusted_ca is set. */
enum sbx_err trusted_read(const struct settings_broker *broker,
    struct ca_set *ret, struct sbx_why *why) MUST_USE;

#endif
