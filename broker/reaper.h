/*
 * Deletes sandboxes that are past their end, and forgets certificates that
 * nobody could use any more.
 */
#ifndef SBX_BROKER_REAPER_H
#define SBX_BROKER_REAPER_H

#include "broker/sandboxes.h"

#define REAPER_INTERVAL 5 /* seconds between rounds */

/* One round; main calls it in turn. */
enum sbx_err reaper_run(struct broker *broker, struct sbx_why *why) MUST_USE;

#endif
