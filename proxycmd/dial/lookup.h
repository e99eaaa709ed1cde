/* SPDX-License-Identifier: ISC */
/*
 * The addresses of a host.  getaddrinfo(3) knows no deadline, so names are
 * looked up in a child that can be ended.
 */
#ifndef SBX_LOOKUP_H
#define SBX_LOOKUP_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/err.h"

#define LOOKUP_MAX 16

struct address {
	socklen_t len;
	struct sockaddr_storage sa;
};

struct address_list {
	size_t count;
	struct address item[LOOKUP_MAX]; /* in the system's order */
};

/* An address written in numbers; false if host is a name. */
bool lookup_numeric(
    const char *host, const char *port, struct address_list *ret) MUST_USE;
/*
 * Ask for a name: *ret_fd becomes readable when the answer is there.  The
 * caller closes it, and ends and reaps the child.
 */
enum sbx_err lookup_start(const char *host, const char *port, int *ret_fd,
    pid_t *ret_pid, struct sbx_why *why) MUST_USE;
/* SBX_UNAVAILABLE if it has no address. */
enum sbx_err lookup_finish(int fd, const char *host, struct address_list *ret,
    struct sbx_why *why) MUST_USE;

/* RFC 8305, section 4: alternate families, starting with the first one. */
void lookup_interleave(struct address_list *list);

#endif
