/* SPDX-License-Identifier: ISC */
/*
 * JSON from outside: what a broker answers (net/reply), and the judgement of
 * the client over it.  Whatever a broker on the network says, none of its
 * endpoints leads to something of this machine.
 */
#include <string.h>

#include "certs/key.h"
#include "common/text.h"
#include "net/reply.h"
#include "proxycmd/dial/endpoint.h"
#include "proxycmd/hosts.h"
#include "proxycmd/resolve/answer.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1800000000
#define TEXTS 4
#define TEXT_SIZE 64

struct values {
	char text[TEXT_SIZE];
	uint64_t number;
	bool flag;
	char texts[TEXTS][TEXT_SIZE];
	size_t count;
};

static const struct reply_field fields[] = {
	{ "id", REPLY_TEXT, true, offsetof(struct values, text), TEXT_SIZE, 0,
	    0 },
	{ "expires_at", REPLY_UINT, true, offsetof(struct values, number), 0,
	    1000, 0 },
	{ "single_use", REPLY_BOOL, true, offsetof(struct values, flag), 0, 0,
	    0 },
	{ "endpoints", REPLY_TEXTS, true, offsetof(struct values, texts),
	    TEXT_SIZE, TEXTS, offsetof(struct values, count) },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void
check_text(const char *text)
{
	FUZZ_ASSERT(memchr(text, '\0', TEXT_SIZE) != NULL);
	for (; *text != '\0'; text++)
		FUZZ_ASSERT((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void
check_values(const struct values *values)
{
	check_text(values->text);
	FUZZ_ASSERT(values->number <= 1000);
	FUZZ_ASSERT(values->count <= TEXTS);
	for (size_t i = 0; i < values->count; i++)
		check_text(values->texts[i]);
}

/* It goes into the cache, and from there to connect. */
static void
check_endpoint(const char *text, bool networked)
{
	static const char *const local[] = { "unix:", "unix-mux:", "exec:" };
	/* A path on this machine may hold blanks, and letters of any kind. */
	const bool path = strncmp(text, "unix", 4) == 0;
	struct endpoint endpoint;

	for (size_t i = 0; networked && i < sizeof(local) / sizeof(local[0]);
	     i++)
		FUZZ_ASSERT(strncmp(text, local[i], strlen(local[i])) != 0);
	for (const char *c = text; *c != '\0'; c++) {
		FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
		FUZZ_ASSERT(path || (*c > ' ' && *c < 0x7f));
	}
	FUZZ_ASSERT(endpoint_parse(text, &endpoint, NULL) == SBX_OK);
}

/* Files of lines: those of known_hosts are about this alias alone. */
static void
check_files(const struct answer *answer, const char *alias)
{
	struct view rest = buf_view(&answer->known_hosts), line, word;
	size_t lines = 0;

	while (text_next_line(&rest, &line)) {
		FUZZ_ASSERT(text_next_word(&line, &word));
		FUZZ_ASSERT(view_eq_str(word, alias));
		FUZZ_ASSERT(text_next_word(&line, &word));
		FUZZ_ASSERT(text_next_word(&line, &word));
		FUZZ_ASSERT(!text_next_word(&line, &word));
		lines++;
	}
	FUZZ_ASSERT(lines > 0 && lines <= ANSWER_HOST_KEYS);
	rest = buf_view(&answer->certificate);
	for (lines = 0; text_next_line(&rest, &line); lines++)
		FUZZ_ASSERT(line.len > 0);
	FUZZ_ASSERT(lines <= 1);
}

/* Over a network, for somebody else's key: an answer to believe is rare. */
static void
judge(struct json_object *object, struct view key, bool networked)
{
	struct alias alias;
	struct question question = { .alias = &alias,
		.public_key = key,
		.now = NOW,
		.clock = NOW,
		.ttl = 3600,
		.broker = networked ? "https://broker.example" : NULL };
	cleanup_answer struct answer answer;
	struct sbx_why why = { "" };

	FUZZ_ASSERT(name_parse_alias("run-1234.sandbox", NAME_SUFFIX_DEFAULT,
			&alias, NULL) == SBX_OK);
	if (answer_judge(object, &question, &answer, &why) != SBX_OK) {
		FUZZ_ASSERT(why.text[0] != '\0');
		return;
	}
	FUZZ_ASSERT(strcmp(answer.session.id, "run-1234") == 0);
	FUZZ_ASSERT(answer.session.not_after > NOW);
	FUZZ_ASSERT(answer.session.endpoint_count <= SESSION_ENDPOINTS);
	for (size_t i = 0; i < answer.session.endpoint_count; i++)
		check_endpoint(answer.session.endpoint[i], networked);
	FUZZ_ASSERT(hosts_is_user(answer.session.user));
	check_files(&answer, alias.text);
}

/* The key in the corpus' certificates. */
static struct view
key_of_corpus(void)
{
	static struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 2 };
	uint8_t public[KEY_ED25519_LEN], secret[crypto_sign_SECRETKEYBYTES];

	if (blob.len == 0) {
		(void)crypto_sign_seed_keypair(public, secret, seed);
		key_put_ed25519(public, &blob);
	}
	return buf_view(&blob);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct values values = { .text = "" };
	struct json_object *object = NULL;
	struct sbx_why why = { "" };

	if (reply_parse((const char *)bytes, size, &object, &why) != SBX_OK)
		return 0;
	if (reply_read(object, fields, FIELDS, &values, &why) == SBX_OK)
		check_values(&values);
	judge(object, key_of_corpus(), /* networked= */ false);
	judge(object, key_of_corpus(), /* networked= */ true);
	(void)json_object_put(object);
	return 0;
}
