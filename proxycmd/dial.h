/*
 * Connecting to an endpoint.  The addresses of a TCP host are raced as
 * RFC 8305 says: families in turn, a new attempt every DIAL_ATTEMPT
 * milliseconds or as soon as one has failed, the first that connects wins.
 */
#ifndef SBX_DIAL_H
#define SBX_DIAL_H

#include "proxycmd/endpoint.h"
#include "proxycmd/lookup.h"

#define DIAL_TIMEOUT 10000 /* milliseconds for all endpoints together */
#define DIAL_ATTEMPT 250

/*
 * A connected, blocking descriptor; TCP_NODELAY and keepalive are set on
 * TCP.  SBX_UNAVAILABLE when nothing takes the connection, SBX_TIMEOUT.
 */
enum sbx_err dial_endpoint(const struct endpoint *endpoint,
    struct deadline deadline, int *ret_fd, struct sbx_why *why) MUST_USE;

/* RFC 8305, section 4: alternate families, starting with the first one. */
void dial_interleave(struct address_list *list);
/*
 * The race alone; the list in the order of the attempts.  The reason of the
 * last failure is left in errno.
 */
enum sbx_err dial_race(const struct address_list *list,
    struct deadline deadline, int *ret_fd) MUST_USE;

#endif
