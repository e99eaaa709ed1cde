/* SPDX-License-Identifier: ISC */
/*
 * Which connection asks?  sshd runs the gate more than once for one login,
 * always as a child of the one process that serves that connection.  That
 * process is told from every other, earlier and later ones too, by the boot,
 * the PID namespace, its process id and the time it was started at.
 */
#ifndef SBX_AUTHKEYS_CONNECTION_H
#define SBX_AUTHKEYS_CONNECTION_H

#include <sys/types.h>

#include "common/err.h"

#define CONNECTION_MAX 128

struct connection {
	char text[CONNECTION_MAX]; /* "BOOT NAMESPACE PID START" */
};

/* parent as proc, "/proc", knows it.  SBX_CONNECTION if that is unreadable. */
enum sbx_err connection_find(const char *proc, pid_t parent,
    struct connection *ret, struct sbx_why *why) MUST_USE;
/* The calling process's own parent, which is still there. */
enum sbx_err
connection_of_parent(struct connection *ret, struct sbx_why *why) MUST_USE;

#endif
