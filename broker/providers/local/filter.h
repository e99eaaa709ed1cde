/* SPDX-License-Identifier: ISC */
/*
 * Which system calls nobody in a sandbox can make: what leaves the sandbox's
 * namespaces (sockets of machine-wide families), what is one table for the
 * whole machine, and what no shell needs but kernels had holes in.
 */
#ifndef SBX_LOCAL_FILTER_H
#define SBX_LOCAL_FILTER_H

#include "common/buf.h"

/* As bwrap --seccomp reads it. */
#define FILTER_BYTES_MAX 2048
void filter_put(struct buf *ret);

#endif
