/* SPDX-License-Identifier: ISC */
/*
 * Bytes between standard input and output and a socket, for whoever cannot
 * take a descriptor.  Nothing is read that cannot be passed on (a slow
 * reader slows the sender), and the end of one direction leaves the other
 * one open.
 */
#ifndef SBX_PUMP_H
#define SBX_PUMP_H

#include "common/err.h"

#define PUMP_BUFFER 65536

/*
 * Runs until both directions have ended or nobody reads out any more.  Takes
 * the descriptors over: out and peer are closed, in and out get their
 * blocking mode back.  SIGPIPE must be ignored.  SBX_IO: the connection or
 * in broke.
 */
enum sbx_err pump_run(int in, int out, int peer, struct sbx_why *why) MUST_USE;

#endif
