/* SPDX-License-Identifier: ISC */
/* What a call is answered: a status and JSON. */
#ifndef SBX_BROKER_ANSWER_H
#define SBX_BROKER_ANSWER_H

#include <json-c/json.h>

#include "broker/life/access.h"

#define ANSWER_ALLOW_MAX 64

struct answer {
	unsigned status;
	char allow[ANSWER_ALLOW_MAX]; /* for 405: the methods; else "" */
	struct json_object *body;     /* NULL: none; json_object_put it */
	/*
	 * Not "": the answer goes on as long as the connection to which this
	 * sandbox is tied (front/stream.h).
	 */
	char tied[NAME_ID_MAX + 1];
	uint64_t incarnation;
};

void answer_put_text(struct json_object *o, const char *name, const char *text);
void answer_put_u64(struct json_object *o, const char *name, uint64_t value);

/* "namespaces", "none", or "unknown" while it is being made. */
const char *answer_isolation(const struct sandbox *sandbox);
void answer_put_incarnation(struct json_object *object, uint64_t incarnation);
struct json_object *answer_json(const struct sandbox *sandbox) MUST_USE;
/* The answer is a sandbox. */
enum sbx_err answer_sandbox(struct answer *ret, unsigned status,
    const struct sandbox *sandbox) MUST_USE;

/* Its member "limits". */
void answer_put_limits(
    struct json_object *sandbox, const struct provider_usage *usage);

/* Its member "shares". */
void answer_put_shares(
    struct json_object *sandbox, const struct share *shares, size_t count);

/* The answer is an error, with the status of its code. */
struct answer
answer_problem(enum sbx_err err, const struct sbx_why *why) MUST_USE;
/* The same with a status that says more than the code. */
struct answer answer_problem_with(
    unsigned status, enum sbx_err err, const struct sbx_why *why) MUST_USE;
/* Who is in it, and when it stops if nobody is, unless nobody knows. */
void answer_put_sessions(struct json_object *object, const struct sandbox *s,
    const struct provider_sessions *sessions, uint64_t now);
/* Certificates that live: how many, and those of them that are told. */
void answer_put_certificates(struct json_object *sandbox,
    const struct store_live *live, size_t max, uint64_t all);

#endif
