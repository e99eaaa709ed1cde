/* SPDX-License-Identifier: ISC */
/*
 * The answer to whoever made a sandbox that is tied to the connection: lines of
 * JSON, first the sandbox, then a beat every STREAM_BEAT seconds, at last
 * {"state":"removed"} if somebody else removed it.  When the answer ends,
 * however, so does the sandbox.
 */
#ifndef SBX_BROKER_STREAM_H
#define SBX_BROKER_STREAM_H

#include <microhttpd.h>

#include "broker/front/answer.h"
#include "broker/life/sandboxes.h"

#define STREAM_BEAT 10

/*
 * first is the first line, without its end; NULL is a lack of memory, as is a
 * NULL that is returned: the sandbox ends then.  fd, the connection, is looked
 * at for its end, and stays open at least as long as the response.
 */
struct MHD_Response *stream_new(struct broker *broker, int fd,
    const struct answer *answer, const char *first) MUST_USE;

#endif
