/* SPDX-License-Identifier: ISC */
/* One request, as http took it apart, and the parameters of its query. */
#ifndef SBX_BROKER_CALL_H
#define SBX_BROKER_CALL_H

#include "broker/life/sandboxes.h"

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
	/*
	 * Room for an answer that goes on: false if the caller has all of
	 * theirs in use.  NULL: there is no such answer here.
	 */
	bool (*take_stream)(void *context);
	void *context;
	int fd; /* the connection: is the caller still there? */
};

/* The value of a parameter; NULL: it is not there. */
const char *call_query(const struct call *call, const char *name) MUST_USE;
/* A number, or fallback if the parameter is not there. */
enum sbx_err call_query_uint(const struct call *call, const char *name,
    uint64_t min, uint64_t max, uint64_t fallback, uint64_t *ret,
    struct sbx_why *why) MUST_USE;
/* SBX_BAD_VALUE: one is not among the names (between blanks), or is twice. */
enum sbx_err call_check_query(
    const struct call *call, const char *names, struct sbx_why *why) MUST_USE;

#endif
