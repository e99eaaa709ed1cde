/* SPDX-License-Identifier: ISC */
/*
 * What the routes do: between requests as http took them apart and the
 * operations on sandboxes.
 */
#ifndef SBX_BROKER_HANDLERS_H
#define SBX_BROKER_HANDLERS_H

#include "broker/front/answer.h"
#include "broker/front/call.h"

/* id is that of the path, judged, or "". */
typedef enum sbx_err
route_handler(struct broker *broker, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why);

route_handler handle_list;
route_handler handle_create;
route_handler handle_show;
route_handler handle_change;
route_handler handle_delete;
route_handler handle_start;
route_handler handle_stop;
route_handler handle_ssh;
route_handler handle_share;
route_handler handle_unshare;
route_handler handle_events;

/* The answer is a sandbox with its shares, which are not for guests. */
enum sbx_err answer_shared(struct broker *broker, struct answer *ret,
    const struct sandbox *sandbox, struct sbx_why *why) MUST_USE;

#endif
