/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tests/unit/cases.h"
#include "proxycmd/dial/proxy_auth.h"

#define HEADER(pair) "Proxy-Authorization: Basic " pair "\r\n"

static const struct row {
	const char *name;
	const char *text;
	const char *endpoint;
	enum sbx_err want;
	const char *header;
} rows[] = {
	{ "the RFC's", "p:80 Aladdin open sesame\n", "connect://p:80/b:22",
	    SBX_OK, HEADER("QWxhZGRpbjpvcGVuIHNlc2FtZQ==") },
	{ "nothing", "", "connect://p:80/b:22", SBX_OK, "" },
	{ "comments", "# x\n\n   # y\n p:80\tu p\r\n", "connect://p:80/b:22",
	    SBX_OK, HEADER("dTpw") },
	{ "another port", "p:81 u p\n", "connect://p:80/b:22", SBX_OK, "" },
	{ "another host", "pp:80 u p\n", "connect://p:80/b:22", SBX_OK, "" },
	{ "another user", "p:80 u p\n", "connect://v@p:80/b:22", SBX_OK, "" },
	{ "the user that is asked for", "p:80 u p\np:80 v q\n",
	    "connect://v@p:80/b:22", SBX_OK, HEADER("djpx") },
	{ "the first one", "p:80 u p\np:80 v q\n", "connect://p:80/b:22",
	    SBX_OK, HEADER("dTpw") },
	{ "IPv6", "[::1]:80 u p\n", "connect://[::1]:80/b:22", SBX_OK,
	    HEADER("dTpw") },
	{ "no line end", "p:80 u p", "connect://p:80/b:22", SBX_OK,
	    HEADER("dTpw") },
	{ "no password", "p:80 u\n", "connect://p:80/b:22", SBX_CONFIG, NULL },
	{ "no user", "p:80\n", "connect://p:80/b:22", SBX_CONFIG, NULL },
	{ "a colon in the user", "p:80 u:v p\n", "connect://p:80/b:22",
	    SBX_CONFIG, NULL },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf got = BUF_INIT(1024);
	struct sbx_why why = { "" };
	struct endpoint endpoint;

	assert_int_equal(
	    endpoint_parse(row->endpoint, &endpoint, NULL), SBX_OK);
	assert_int_equal(
	    proxy_auth_find(VIEW_STR(row->text), "FILE", &endpoint, &got, &why),
	    row->want);
	if (row->want == SBX_OK)
		assert_string_equal(buf_text(&got), row->header);
	else
		assert_non_null(strstr(why.text, "FILE:1: "));
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	return cases_run("proxy_auth");
}
