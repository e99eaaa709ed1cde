/*
 * The addresses of a host, within a deadline that getaddrinfo(3) lacks.
 */
#ifndef SBX_LOOKUP_H
#define SBX_LOOKUP_H

#include <stddef.h>
#include <sys/socket.h>

#include "common/err.h"
#include "proxycmd/deadline.h"

#define LOOKUP_MAX 32

struct address {
	socklen_t len;
	struct sockaddr_storage sa;
};

struct address_list {
	size_t count;
	struct address item[LOOKUP_MAX]; /* in the system's order */
};

/*
 * A numeric address at once, a name in a child that is ended at the
 * deadline.  SBX_UNAVAILABLE if it has no address, SBX_TIMEOUT.
 */
enum sbx_err
lookup_host(const char *host, const char *port, struct deadline deadline,
    struct address_list *ret, struct sbx_why *why) MUST_USE;

#endif
