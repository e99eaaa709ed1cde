/* SPDX-License-Identifier: ISC */
/*
 * The machine's broker, which is root's: is there one, whether it runs or not?
 */
#ifndef SBX_NET_MACHINE_H
#define SBX_NET_MACHINE_H

#include "common/paths.h"

/* By its state folder, its socket or its unit. */
bool machine_has_broker(const struct paths *paths) MUST_USE;
/*
 * The unit that starts it, "sandboxd.socket" or "sandboxd.service", unless it
 * is masked; NULL if there is none.
 */
const char *machine_unit(void) MUST_USE;
/* Does systemd run here, so that units mean something? */
bool machine_has_systemd(void) MUST_USE;

#endif
