/* SPDX-License-Identifier: ISC */
/*
 * One message to the system log.  Not syslog(3): that one waits for ever
 * when the log's queue is full, and a login must not hang on its log.
 */
#ifndef SBX_AUTHKEYS_SYSLOG_H
#define SBX_AUTHKEYS_SYSLOG_H

#include "common/buf.h"

#define SYSLOG_SOCKET "/dev/log"
#define SYSLOG_WAIT_MS 200 /* at most, for a place in the queue */

/*
 * Send text, in RFC 3164's form, to the socket at path, a datagram or a
 * stream one.  priority is facility and level of <syslog.h>.  SBX_UNAVAILABLE
 * if nothing listens there (as in many containers), SBX_TIMEOUT if the queue
 * stays full.
 *
 * The message has no time: whoever takes it puts its own there, by its time
 * zone.  To know ours, /etc/localtime would have to be read, which may be
 * anything where the system is a stranger's image, a fifo for one.
 */
enum sbx_err syslog_send(const char *path, int priority, const char *program,
    struct view text) MUST_USE;

/*
 * The same in two steps, of which the second may be taken in a signal
 * handler.
 */
void syslog_put(
    int priority, const char *program, struct view text, struct buf *ret);
enum sbx_err syslog_send_put(const char *path, struct view message) MUST_USE;

#define SYSLOG_MESSAGE_MAX 8192

#endif
