/* SPDX-License-Identifier: ISC */
/*
 * What has to be there before any of sandboxd's processes runs: its folders,
 * the locks that make it the only one in them, and the CA key.
 */
#ifndef SBX_BROKER_PREMISES_H
#define SBX_BROKER_PREMISES_H

#include "broker/settings.h"

/* Descriptors: held, they keep every other sandboxd out. */
struct premises {
	int state_lock;	 /* STATE_DIR/sandboxd.lock */
	int socket_lock; /* SOCKET.lock: another state folder, same socket */
};

#define PREMISES_INIT ((struct premises){ -1, -1 })

/*
 * Makes what is missing, the CA key included.  SBX_STATE when another
 * sandboxd has this state folder or this socket.
 */
enum sbx_err premises_take(const struct broker_settings *settings,
    struct premises *ret, struct sbx_why *why) MUST_USE;
/* The folders alone, where one was removed since. */
enum sbx_err premises_mend(
    const struct broker_settings *settings, struct sbx_why *why) MUST_USE;
/* The process that holds the lock of a state folder; 0: none, or not known. */
pid_t premises_holder(const char *state_dir);
void premises_leave(struct premises *premises);

#endif
