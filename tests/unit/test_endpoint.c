#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proxycmd/endpoint.h"

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
	{ "vsock", "vsock:3:22", SBX_UNAVAILABLE, NULL, NULL },
	{ "unix-mux", "unix-mux:/x#22", SBX_UNAVAILABLE, NULL, NULL },
	{ "tls", "tls://box:443", SBX_UNAVAILABLE, NULL, NULL },
	{ "wss", "wss://box/x", SBX_UNAVAILABLE, NULL, NULL },
	{ "connect", "connect://p:1/box:22", SBX_UNAVAILABLE, NULL, NULL },
	{ "exec", "exec:docker/x", SBX_UNAVAILABLE, NULL, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

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
	if (endpoint.kind == ENDPOINT_UNIX) {
		assert_string_equal(endpoint.path, row->where);
		return;
	}
	assert_string_equal(endpoint.host, row->where);
	assert_string_equal(endpoint.port, row->port);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
