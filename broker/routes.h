/*
 * The calls of the API: a table of method, path and handler, between
 * requests as http took them apart and the operations on sandboxes.
 */
#ifndef SBX_BROKER_ROUTES_H
#define SBX_BROKER_ROUTES_H

#include <json-c/json.h>

#include "broker/sandboxes.h"

#define CALL_QUERY_MAX 8
#define CALL_QUERY_LEN 512

struct call_query {
	char name[32];
	char value[CALL_QUERY_LEN];
};

/* One request. */
struct call {
	const char *method;
	const char *path; /* as it was sent, unescaped, without its query */
	size_t query_count;
	struct call_query query[CALL_QUERY_MAX];
	struct view body;
	struct caller caller;
};

#define ROUTE_ALLOW_MAX 64
#define ROUTE_ID_SIZE (NAME_ID_MAX + 2)

struct answer {
	unsigned status;
	char allow[ROUTE_ALLOW_MAX]; /* for 405: the methods; else "" */
	struct json_object *body;    /* NULL: none; json_object_put it */
};

typedef enum sbx_err
route_handler(struct broker *broker, const struct call *call, const char *id,
    struct answer *ret, struct sbx_why *why);

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
    char ret_allow[static ROUTE_ALLOW_MAX]) MUST_USE;

/*
 * Answer a call; never fails, errors become answers.  *ret_err and *ret_why
 * are for the log.
 */
struct answer routes_answer(struct broker *broker, const struct call *call,
    enum sbx_err *ret_err, struct sbx_why *ret_why);
/* The answer to a call that failed before it came to a route. */
struct answer routes_problem(enum sbx_err err, const struct sbx_why *why);
/* The same with a status that says more than its code. */
struct answer routes_problem_with(
    unsigned status, enum sbx_err err, const struct sbx_why *why);

#endif
