/*
 * Giving ssh the connected descriptor (ProxyUseFdpass): one byte with
 * SCM_RIGHTS on the socket that is our standard output.
 */
#ifndef SBX_HANDOFF_H
#define SBX_HANDOFF_H

#include "common/err.h"

/* SBX_USAGE when out is no socket: nothing could be handed over there. */
enum sbx_err handoff_check(int out, struct sbx_why *why) MUST_USE;
/* The receiver has its own copy; the caller still owns fd. */
enum sbx_err handoff_send(int out, int fd, struct sbx_why *why) MUST_USE;

#endif
