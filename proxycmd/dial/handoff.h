/* SPDX-License-Identifier: ISC */
/*
 * Giving ssh the connected descriptor (ProxyUseFdpass): one byte with
 * SCM_RIGHTS on the socket that is our standard output.
 */
#ifndef SBX_HANDOFF_H
#define SBX_HANDOFF_H

#include <stdbool.h>

#include "common/err.h"

/*
 * Whether a descriptor can be handed over there.  Not through a pipe: that
 * is a client which does not know ProxyUseFdpass, or has it switched off,
 * and wants the bytes.  SBX_USAGE for anything else but a socket.
 */
enum sbx_err
handoff_check(int out, bool *ret_possible, struct sbx_why *why) MUST_USE;
/*
 * Who is at the other end, before anything was handed over.  ssh reads one
 * byte, and gives up if no descriptor comes with it.
 */
enum handoff_reader {
	HANDOFF_READY,
	HANDOFF_GONE,
	HANDOFF_BLIND, /* it has yet to read what somebody else wrote there */
};

enum handoff_reader handoff_look(int out);
/*
 * The receiver has its own copy; the caller still owns fd.  SBX_UNAVAILABLE if
 * it is gone.
 */
enum sbx_err handoff_send(int out, int fd, struct sbx_why *why) MUST_USE;

#endif
