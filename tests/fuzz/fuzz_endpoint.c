/* SPDX-License-Identifier: ISC */
/*
 * Endpoints as a broker names them, of every kind.  What is accepted can be
 * handed to the resolver, to connect(2), into the request to a proxy and
 * into the user's command as it is; and the token is for the broker alone.
 */
#include <string.h>

#include "proxycmd/dial/kind.h"
#include "proxycmd/relay/plan.h"
#include "tests/fuzz/fuzz.h"

#define WORD                         \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789._"
#define BROKER "https://broker.example:8443"

enum part { PATH = 1, HOST = 2, CID = 4, NUMBER = 8, TARGET = 16, NAME = 32 };

/* What an endpoint of each kind has, and nothing else. */
static const struct row {
	const char *prefix;
	unsigned parts;
	bool local, relayed;
} rows[] = {
	{ "unix:", PATH, true, false },
	{ "tcp://", HOST, false, false },
	{ "vsock:", CID | NUMBER, true, false },
	{ "unix-mux:", PATH | NUMBER, true, false },
	{ "connect://", HOST | TARGET, false, false },
	{ "exec:", NAME, true, false },
	{ "tls://", HOST, false, true },
	{ "wss://", HOST, false, true },
	{ "ws://", HOST, true, true },
};

static const struct row *
row_of(const char *text)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strncmp(text, rows[i].prefix, strlen(rows[i].prefix)) == 0)
			return &rows[i];
	}
	return NULL;
}

static void
check_host(const struct endpoint *e)
{
	unsigned long port = strtoul(e->port, NULL, 10);

	FUZZ_ASSERT(e->host[0] != '\0' && e->host[0] != '-');
	FUZZ_ASSERT(strspn(e->host, WORD "-:%") == strlen(e->host));
	FUZZ_ASSERT(strspn(e->port, "0123456789") == strlen(e->port));
	FUZZ_ASSERT(port >= 1 && port <= UINT16_MAX);
	FUZZ_ASSERT(strstr(e->text, e->host) != NULL);
}

static void
check_parts(const struct endpoint *e, unsigned parts)
{
	FUZZ_ASSERT((e->path[0] == '/') == ((parts & PATH) != 0));
	FUZZ_ASSERT((e->host[0] != '\0') == ((parts & HOST) != 0));
	FUZZ_ASSERT((e->cid != 0) == ((parts & CID) != 0));
	FUZZ_ASSERT((e->number != 0) == ((parts & NUMBER) != 0));
	FUZZ_ASSERT((e->target[0] != '\0') == ((parts & TARGET) != 0));
	FUZZ_ASSERT((e->name[0] != '\0') == ((parts & NAME) != 0));
	FUZZ_ASSERT((e->id[0] != '\0') == ((parts & NAME) != 0));
	FUZZ_ASSERT(strlen(e->path) < ENDPOINT_PATH_LEN);
	FUZZ_ASSERT(strspn(e->target, WORD "-:%[]") == strlen(e->target));
	FUZZ_ASSERT(e->target[0] != '-');
	FUZZ_ASSERT(strspn(e->user, WORD "-") == strlen(e->user));
	FUZZ_ASSERT(e->user[0] == '\0' || (parts & TARGET) != 0);
	FUZZ_ASSERT(strspn(e->name, WORD "-") == strlen(e->name));
	FUZZ_ASSERT(strspn(e->id, WORD ":/@+-") == strlen(e->id));
	FUZZ_ASSERT(e->id[0] != '-');
	if ((parts & HOST) != 0)
		check_host(e);
}

/* The path goes into a request as it is. */
static void
check_relayed(const struct endpoint *e, bool relayed)
{
	static const struct settings settings;
	struct link_request request;

	FUZZ_ASSERT(
	    (tunnel_plan(e, &settings, &request, NULL) == SBX_OK) == relayed);
	if (tunnel_is_broker(e, BROKER)) {
		FUZZ_ASSERT(strncmp(e->text, "wss://", 6) == 0);
		FUZZ_ASSERT(strcasecmp(e->host, "broker.example") == 0);
		FUZZ_ASSERT(strcmp(e->port, "8443") == 0);
	}
	if (!relayed || !request.web)
		return;
	FUZZ_ASSERT(request.path[0] == '\0' || request.path[0] == '/');
	for (const char *c = request.path; *c != '\0'; c++)
		FUZZ_ASSERT(*c > ' ' && *c < 0x7f);
	FUZZ_ASSERT(request.tls || settings_is_loopback(VIEW_STR(e->host)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT(65536);
	struct endpoint endpoint = { .path = "" };
	struct sbx_why why = { "" };
	const struct row *row;

	buf_put(&text, bytes, size);
	if (buf_error(&text) != SBX_OK)
		return 0;
	if (endpoint_parse(buf_text(&text), &endpoint, &why) != SBX_OK) {
		FUZZ_ASSERT(why.text[0] != '\0');
		return 0;
	}
	FUZZ_ASSERT(strcmp(endpoint.text, buf_text(&text)) == 0);
	row = row_of(endpoint.text);
	FUZZ_ASSERT(row != NULL);
	FUZZ_ASSERT(endpoint.kind->local == row->local);
	check_parts(&endpoint, row->parts);
	check_relayed(&endpoint, row->relayed);
	return 0;
}
