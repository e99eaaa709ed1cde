/* SPDX-License-Identifier: ISC */
/*
 * Messages of whoever runs the sandbox, on a datagram socket that nobody else
 * reaches.  The first byte says what is wanted:
 *
 *   L   another listening socket comes along, and one end of a pair, which
 *       gets one byte when it is accepted on
 *   S   one end of a pair comes along, which gets who is there (sessions.h)
 *   W   the rest is a text for the terminals of all who are there
 */
#ifndef SBX_INIT_CONTROL_H
#define SBX_INIT_CONTROL_H

#include <stdint.h>

#include "init/sessions.h"

#define CONTROL_TEXT 512

/* One message, if there is one; *listen_fd is replaced by what comes. */
void control_take(
    int fd, int *listen_fd, const struct sessions *sessions, int64_t now);

#endif
