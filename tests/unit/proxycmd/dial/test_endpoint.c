/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tests/unit/cases.h"
#include "proxycmd/dial/endpoint.h"

#define PATH53 "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct row {
	const char *name;
	const char *text;
	enum sbx_err want;
	const char *where; /* path, or host */
	const char *port;
};

static const struct row rows[] = {
	{ "unix", "unix:/run/x.sock", SBX_OK, "/run/x.sock", "" },
	{ "unix, longest path", "unix:" PATH53 PATH53 "a", SBX_OK,
	    PATH53 PATH53 "a", "" },
	{ "tcp name", "tcp://box.example:2222", SBX_OK, "box.example", "2222" },
	{ "tcp v4", "tcp://127.0.0.1:22", SBX_OK, "127.0.0.1", "22" },
	{ "tcp v6", "tcp://[::1]:65535", SBX_OK, "::1", "65535" },
	{ "tcp v6 with zone", "tcp://[fe80::1%eth0]:22", SBX_OK, "fe80::1%eth0",
	    "22" },
	{ "empty", "", SBX_BAD_VALUE, NULL, NULL },
	{ "no scheme", "box:22", SBX_BAD_VALUE, NULL, NULL },
	{ "unknown scheme", "http://box:22", SBX_BAD_VALUE, NULL, NULL },
	{ "unix relative", "unix:x.sock", SBX_BAD_VALUE, NULL, NULL },
	{ "unix without path", "unix:", SBX_BAD_VALUE, NULL, NULL },
	{ "unix path too long", "unix:" PATH53 PATH53 "aa", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "tcp without port", "tcp://box", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp port empty", "tcp://box:", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp port 0", "tcp://box:0", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp port too large", "tcp://box:65536", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp port padded", "tcp://box:0000022", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp port is a name", "tcp://box:ssh", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp without host", "tcp://:22", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp v6 without brackets", "tcp://::1:22", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "tcp bracket open", "tcp://[::1:22", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp brackets empty", "tcp://[]:22", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp with user", "tcp://root@box:22", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp with path", "tcp://box/x:22", SBX_BAD_VALUE, NULL, NULL },
	{ "tcp host is an option", "tcp://-x:22", SBX_BAD_VALUE, NULL, NULL },
	{ "vsock", "vsock:3:22", SBX_OK, "", "" },
	{ "vsock, largest", "vsock:4294967295:4294967295", SBX_OK, "", "" },
	{ "vsock without port", "vsock:3", SBX_BAD_VALUE, NULL, NULL },
	{ "vsock cid 0", "vsock:0:22", SBX_BAD_VALUE, NULL, NULL },
	{ "vsock port too large", "vsock:3:4294967296", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "unix-mux", "unix-mux:/x#22", SBX_OK, "/x", "" },
	{ "unix-mux, # in the path", "unix-mux:/a#b#22", SBX_OK, "/a#b", "" },
	{ "unix-mux relative", "unix-mux:x#22", SBX_BAD_VALUE, NULL, NULL },
	{ "unix-mux without port", "unix-mux:/x", SBX_BAD_VALUE, NULL, NULL },
	{ "unix-mux port 0", "unix-mux:/x#0", SBX_BAD_VALUE, NULL, NULL },
	{ "tls", "tls://box:443", SBX_OK, "box", "443" },
	{ "tls, ALPN", "tls://box:443?alpn=ssh", SBX_OK, "box", "443" },
	{ "tls, another ALPN", "tls://box:443?alpn=h2", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "tls without port", "tls://box", SBX_BAD_VALUE, NULL, NULL },
	{ "wss", "wss://box/x", SBX_OK, "box", "443" },
	{ "wss, bare", "wss://box", SBX_OK, "box", "443" },
	{ "wss, port", "wss://box:8443/x?y=z", SBX_OK, "box", "8443" },
	{ "wss, v6", "wss://[::1]/x", SBX_OK, "::1", "443" },
	{ "wss, v6 and port", "wss://[::1]:8443/x", SBX_OK, "::1", "8443" },
	{ "wss with user", "wss://u@box/x", SBX_BAD_VALUE, NULL, NULL },
	{ "wss with fragment", "wss://box#x", SBX_BAD_VALUE, NULL, NULL },
	{ "wss, query without path", "wss://box?x", SBX_BAD_VALUE, NULL, NULL },
	{ "wss, quote in path", "wss://box/\"", SBX_BAD_VALUE, NULL, NULL },
	{ "wss without host", "wss:///x", SBX_BAD_VALUE, NULL, NULL },
	{ "ws to this machine", "ws://127.0.0.1:80/x", SBX_OK, "127.0.0.1",
	    "80" },
	{ "ws, localhost", "ws://localhost/x", SBX_OK, "localhost", "80" },
	{ "ws, v6", "ws://[::1]:8080", SBX_OK, "::1", "8080" },
	{ "ws elsewhere", "ws://box/x", SBX_BAD_VALUE, NULL, NULL },
	{ "ws to a name like localhost", "ws://localhost.evil/x", SBX_BAD_VALUE,
	    NULL, NULL },
	{ "connect", "connect://p:1/box:22", SBX_OK, "p", "1" },
	{ "connect, user", "connect://u@[::1]:1/box:22", SBX_OK, "::1", "1" },
	{ "connect, password", "connect://u:p@p:1/box:22", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "connect without target", "connect://p:1", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "connect, target without port", "connect://p:1/box", SBX_BAD_VALUE,
	    NULL, NULL },
	{ "connect, more behind the target", "connect://p:1/box:22/x",
	    SBX_BAD_VALUE, NULL, NULL },
	{ "connect, a line more", "connect://p:1/box:22\r\nX: y", SBX_BAD_VALUE,
	    NULL, NULL },
	{ "exec", "exec:docker/x", SBX_OK, "", "" },
	{ "exec, id with slashes", "exec:k8s/ns/pod_1:a", SBX_OK, "", "" },
	{ "exec without id", "exec:docker", SBX_BAD_VALUE, NULL, NULL },
	{ "exec, empty id", "exec:docker/", SBX_BAD_VALUE, NULL, NULL },
	{ "exec, id is an option", "exec:docker/-x", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "exec, id for a shell", "exec:docker/$(x)", SBX_BAD_VALUE, NULL,
	    NULL },
	{ "exec, path for a name", "exec:../x", SBX_BAD_VALUE, NULL, NULL },
	{ "http", "http://box/", SBX_BAD_VALUE, NULL, NULL },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sbx_why why = { "" };
	struct endpoint endpoint;

	assert_int_equal(endpoint_parse(row->text, &endpoint, &why), row->want);
	if (row->want != SBX_OK) {
		assert_non_null(strstr(why.text, row->text));
		return;
	}
	assert_string_equal(endpoint.text, row->text);
	assert_string_equal(
	    endpoint.path[0] != '\0' ? endpoint.path : endpoint.host,
	    row->where);
	assert_string_equal(endpoint.port, row->port);
}

static void
test_numbers(void **state)
{
	struct endpoint endpoint;

	(void)state;
	assert_int_equal(
	    endpoint_parse("vsock:3:1022", &endpoint, NULL), SBX_OK);
	assert_int_equal(endpoint.cid, 3);
	assert_int_equal(endpoint.number, 1022);
	assert_int_equal(
	    endpoint_parse("unix-mux:/a#b#22", &endpoint, NULL), SBX_OK);
	assert_int_equal(endpoint.number, 22);
}

static void
test_parts(void **state)
{
	struct endpoint endpoint;

	(void)state;
	assert_int_equal(
	    endpoint_parse("connect://u@p:1/[::1]:22", &endpoint, NULL),
	    SBX_OK);
	assert_string_equal(endpoint.user, "u");
	assert_string_equal(endpoint.target, "[::1]:22");
	assert_int_equal(
	    endpoint_parse("exec:k8s/ns/pod", &endpoint, NULL), SBX_OK);
	assert_string_equal(endpoint.name, "k8s");
	assert_string_equal(endpoint.id, "ns/pod");
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE(test_numbers);
	CASE(test_parts);
	return cases_run("endpoint");
}
