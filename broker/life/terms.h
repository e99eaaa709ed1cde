/* SPDX-License-Identifier: ISC */
/*
 * The terms that a sandbox has: when it ends, what it ends with, and when it
 * is stopped because nobody uses it.
 */
#ifndef SBX_BROKER_TERMS_H
#define SBX_BROKER_TERMS_H

#include "broker/life/sandboxes.h"

/*
 * Let it end timeout seconds from now, both clocks in *sandbox being set, and
 * when to look after it, as for one that nobody is in yet.  0: never, or as
 * late as [limits] max_lifetime lets it.  SBX_REFUSED for a later end than
 * that.
 */
enum sbx_err terms_end(const struct broker *broker, struct sandbox *sandbox,
    uint64_t timeout, struct sbx_why *why) MUST_USE;

/* What is to change. */
struct terms {
	uint64_t timeout; /* seconds from now; 0: as it was */
	bool stops;	  /* auto_stop is another one */
	uint64_t auto_stop;
	bool untie; /* it lives on without the connection that made it */
};

/* The caller's sandbox of this id, as it is afterwards in *ret. */
enum sbx_err terms_change(struct broker *broker, const struct caller *caller,
    const char *id, const struct terms *terms, struct sandbox *ret,
    struct sbx_why *why) MUST_USE;

#endif
