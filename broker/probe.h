/*
 * Does a broker answer there?
 */
#ifndef SBX_BROKER_PROBE_H
#define SBX_BROKER_PROBE_H

#include "common/err.h"

#define PROBE_TIMEOUT 2 /* seconds */

/* GET /v1/health on the socket; true when it says 200. */
bool probe_socket(const char *path) MUST_USE;

#endif
