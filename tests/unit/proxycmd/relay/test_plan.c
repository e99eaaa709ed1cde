/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tests/unit/cases.h"
#include "proxycmd/relay/plan.h"

static const struct plan_row {
	const char *name;
	const char *text;
	bool tls, web;
	const char *path, *alpn;
} plans[] = {
	{ "tls", "tls://box:443", true, false, "", NULL },
	{ "tls with ALPN", "tls://box:443?alpn=ssh", true, false, "", "ssh" },
	{ "wss", "wss://box", true, true, "", NULL },
	{ "wss with a path", "wss://box/a?b", true, true, "/a?b", NULL },
	{ "wss is not asked for ssh", "wss://box/?alpn=ssh", true, true,
	    "/?alpn=ssh", NULL },
	{ "ws", "ws://[::1]:80/x", false, true, "/x", NULL },
};

static void
test_plan(void **state)
{
	const struct plan_row *row = *state;
	struct settings settings = { .broker.ca_file = "/broker.pem" };
	struct link_request request;
	struct endpoint endpoint;

	assert_int_equal(endpoint_parse(row->text, &endpoint, NULL), SBX_OK);
	assert_int_equal(
	    tunnel_plan(&endpoint, &settings, &request, NULL), SBX_OK);
	assert_string_equal(request.host, endpoint.host);
	assert_string_equal(request.port, endpoint.port);
	assert_int_equal(request.tls, row->tls);
	assert_int_equal(request.web, row->web);
	assert_string_equal(request.path, row->path);
	assert_true((request.alpn == NULL) == (row->alpn == NULL));
	assert_null(request.bearer);
	assert_string_equal(request.ca_file, "/broker.pem");
}

static void
test_ca_file_of_endpoints(void **state)
{
	struct settings settings = { .broker.ca_file = "/broker.pem",
		.endpoint_ca_file = "/own.pem" };
	struct link_request request;
	struct endpoint endpoint;

	(void)state;
	assert_int_equal(
	    endpoint_parse("tls://box:443", &endpoint, NULL), SBX_OK);
	assert_int_equal(
	    tunnel_plan(&endpoint, &settings, &request, NULL), SBX_OK);
	assert_string_equal(request.ca_file, "/own.pem");
	assert_int_equal(
	    endpoint_parse("tcp://box:443", &endpoint, NULL), SBX_OK);
	assert_int_equal(
	    tunnel_plan(&endpoint, &settings, &request, NULL), SBX_BAD_VALUE);
}

static const struct token_row {
	const char *name;
	const char *text, *url;
	bool want;
} tokens[] = {
	{ "same place", "wss://b.example/v1/x", "https://b.example", true },
	{ "same place, ports written", "wss://b.example:443/v1/x",
	    "https://B.example/prefix", true },
	{ "another port", "wss://b.example:444/", "https://b.example", false },
	{ "another host", "wss://c.example/", "https://b.example", false },
	{ "a host that begins alike", "wss://b.example.evil/",
	    "https://b.example", false },
	{ "no TLS", "ws://localhost:443/", "https://localhost", false },
	{ "ws to a broker over http", "ws://localhost:8080/",
	    "http://localhost:8080", true },
	{ "tls is not HTTP", "tls://b.example:443", "https://b.example",
	    false },
	{ "broker on a socket", "wss://b.example/", "unix:/run/x", false },
	{ "no broker named", "wss://b.example/", "", false },
};

static void
test_token(void **state)
{
	const struct token_row *row = *state;
	struct endpoint endpoint;

	assert_int_equal(endpoint_parse(row->text, &endpoint, NULL), SBX_OK);
	assert_int_equal(tunnel_is_broker(&endpoint, row->url), row->want);
}

int
main(void)
{
	CASE_ROWS(plans, test_plan);
	CASE(test_ca_file_of_endpoints);
	CASE_ROWS(tokens, test_token);
	return cases_run("tunnel_plan");
}
