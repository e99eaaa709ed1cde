/* SPDX-License-Identifier: ISC */
/*
 * What a caller asks of the broker: the path, the query and the body of a
 * request.  They see their own sandbox and nothing of another's, and nothing
 * that they write is a fault of ours (a status of 500).
 *
 * The input: METHOD and PATH on a line, NAME=VALUE on lines of their own, an
 * empty line, the body.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/front/body.h"
#include "broker/front/routes.h"
#include "broker/life/known.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1800000000
#define LABELS "labels"

struct values {
	char text[64];
	uint64_t number;
	bool flag;
	char texts[4][64];
	size_t count;
};

static const struct reply_field fields[] = {
	{ "id", REPLY_TEXT, true, offsetof(struct values, text), 64, 0, 0 },
	{ "ttl", REPLY_UINT, true, offsetof(struct values, number), 0, 1000,
	    0 },
	{ "single_use", REPLY_BOOL, true, offsetof(struct values, flag), 0, 0,
	    0 },
	{ "permit", REPLY_TEXTS, true, offsetof(struct values, texts), 64, 4,
	    offsetof(struct values, count) },
};

static uint64_t
now(void)
{
	return NOW;
}

static void
add(struct store *store, const char *id, const char *owner)
{
	struct sandbox sandbox = { .state = SANDBOX_FAILED,
		.expires_at = NOW + 3600,
		.label_count = 1,
		.label = { { "team", "red" } } };

	FUZZ_ASSERT(
	    text_copy(VIEW_STR(id), sandbox.id, sizeof(sandbox.id)) == SBX_OK &&
	    text_copy(VIEW_STR("local"), sandbox.provider,
		sizeof(sandbox.provider)) == SBX_OK &&
	    text_copy(VIEW_STR(owner), sandbox.owner, sizeof(sandbox.owner)) ==
		SBX_OK);
	FUZZ_ASSERT(store_add(store, &sandbox, 10, NULL) == SBX_OK);
}

/* Without a name from here on. */
static void
open_store(struct store **ret)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[] = "/tmp/fuzz_call.XXXXXX", name[sizeof(path) + 4];
	int fd = mkstemp(path);

	FUZZ_ASSERT(fd >= 0);
	(void)close(fd);
	FUZZ_ASSERT(store_open(path, ret, NULL) == SBX_OK);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

/* Its helpers are not there: what they do is not asked about here. */
static struct broker *
make_broker(void)
{
	static const int no_providers[PROVIDERS_MAX] = { -1, -1, -1, -1, -1, -1,
		-1, -1 };
	static struct broker_settings settings;
	static struct broker broker = { .settings = &settings,
		.provider_fd = no_providers,
		.now = now,
		.ticks = now };

	if (broker.store != NULL)
		return &broker;
	open_store(&broker.store);
	signer_line_init(&broker.signer, -1);
	FUZZ_ASSERT(turns_new(&broker.turns) == SBX_OK);
	FUZZ_ASSERT(known_new(0, &broker.known) == SBX_OK);
	add(broker.store, "mine", "alice");
	add(broker.store, "theirs", "bob");
	return &broker;
}

/* No answer but to the list has items, and in it is what is theirs. */
static void
check_answer(const struct answer *answer)
{
	struct json_object *items = NULL, *id = NULL;

	FUZZ_ASSERT(answer->status >= 200 && answer->status != 500);
	FUZZ_ASSERT(answer->body != NULL);
	if (json_object_object_get_ex(answer->body, "id", &id))
		FUZZ_ASSERT(strcmp(json_object_get_string(id), "mine") == 0);
	if (!json_object_object_get_ex(answer->body, "items", &items))
		return;
	FUZZ_ASSERT(json_object_array_length(items) <= 1);
	for (size_t i = 0; i < json_object_array_length(items); i++) {
		FUZZ_ASSERT(json_object_object_get_ex(
		    json_object_array_get_idx(items, i), "id", &id));
		FUZZ_ASSERT(strcmp(json_object_get_string(id), "mine") == 0);
	}
}

static bool
read_query(struct view line, struct call *call)
{
	struct call_query *q = &call->query[call->query_count];
	const uint8_t *sign = memchr(line.p, '=', line.len);
	size_t len = sign == NULL ? line.len : (size_t)(sign - line.p);

	if (sign == NULL || call->query_count == CALL_QUERY_MAX ||
	    text_copy(VIEW(line.p, len), q->name, sizeof(q->name)) != SBX_OK ||
	    text_copy(VIEW(sign + 1, line.len - len - 1), q->value,
		sizeof(q->value)) != SBX_OK)
		return false;
	call->query_count++;
	return true;
}

static void
check_body(struct view text)
{
	static struct label labels[STORE_LABELS_MAX];
	const struct body_table table = { fields,
		sizeof(fields) / sizeof(fields[0]), LABELS };
	struct values values = { .text = "" };
	struct sbx_why why = { "" };
	size_t count = 0;

	if (body_read(text, &table, &values, labels, &count, &why) != SBX_OK) {
		FUZZ_ASSERT(why.text[0] != '\0');
		return;
	}
	FUZZ_ASSERT(count <= STORE_LABELS_MAX);
	FUZZ_ASSERT(values.number <= 1000 && values.count <= 4);
	for (const char *c = values.text; *c != '\0'; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
	for (size_t i = 0; i < count; i++)
		FUZZ_ASSERT(labels[i].key[0] != '\0');
}

/* A call that only asks, or is for a sandbox that is not the caller's. */
static void
answer_call(struct call *call)
{
	char id[ROUTE_ID_SIZE], allow[ANSWER_ALLOW_MAX];
	const struct route *route =
	    route_find(call->method, call->path, id, allow);
	struct answer answer;
	struct sbx_why why;
	enum sbx_err err;

	FUZZ_ASSERT(strchr(id, '/') == NULL);
	if (strcmp(id, "mine") == 0 ||
	    (route != NULL && *id == '\0' && strcmp(call->method, "GET") != 0))
		return;
	answer = routes_answer(make_broker(), call, &err, &why);
	check_answer(&answer);
	if (strcmp(id, "theirs") == 0)
		FUZZ_ASSERT(answer.status >= 400 && answer.status < 500);
	(void)json_object_put(answer.body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct call call;
	struct view rest = VIEW(bytes, size), line, word;
	char method[16], path[CALL_QUERY_LEN];

	call = (struct call){ .method = method,
		.path = path,
		.caller = { .uid = 1000, .name = "alice" } };
	if (!text_next_line(&rest, &line) || !text_next_word(&line, &word) ||
	    text_copy(word, method, sizeof(method)) != SBX_OK ||
	    text_copy(line, path, sizeof(path)) != SBX_OK)
		return 0;
	memmove(path, path + strspn(path, " \t"),
	    strlen(path + strspn(path, " \t")) + 1);
	while (text_next_line(&rest, &line) && line.len > 0) {
		if (!read_query(line, &call))
			return 0; /* refused by broker/front/http.c */
	}
	call.body = rest;
	check_body(rest);
	answer_call(&call);
	return 0;
}
