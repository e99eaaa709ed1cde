/* SPDX-License-Identifier: ISC */
/* The calls of the API: a table of method, path and handler. */
#ifndef SBX_BROKER_ROUTES_H
#define SBX_BROKER_ROUTES_H

#include "broker/front/handlers.h"

#define ROUTE_ID_SIZE (NAME_ID_MAX + 2)

struct route {
	const char *method;
	const char *path;  /* "{id}" stands for one */
	const char *query; /* names of parameters, between blanks */
	route_handler *handler;
};

extern const struct route routes[];
extern const size_t route_count;

/*
 * The row for a method and path, its id, not yet judged, in ret_id ("" if it
 * has none).  NULL: *ret_allow is "" for an unknown path, otherwise the methods
 * that the path has.
 */
const struct route *route_find(const char *method, const char *path,
    char ret_id[static ROUTE_ID_SIZE],
    char ret_allow[static ANSWER_ALLOW_MAX]) MUST_USE;

/*
 * Answer a call; never fails, errors become answers.  *ret_err and *ret_why
 * are for the log.
 */
struct answer routes_answer(struct broker *broker, const struct call *call,
    enum sbx_err *ret_err, struct sbx_why *ret_why);

#endif
