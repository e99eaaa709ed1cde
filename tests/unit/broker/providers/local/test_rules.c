/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "broker/providers/local/rules.h"
#include "tests/unit/cases.h"

struct row {
	const char *name;
	const char *line;
	const char *rule; /* NULL: it is refused */
};

#define PORTS " meta l4proto { tcp, udp } th dport "

static const struct row rows[] = {
	{ "an address", "192.0.2.1 443",
	    "\nip daddr 192.0.2.1/32" PORTS "443-443 accept\n" },
	{ "a network", "10.0.0.0/8 1-65535",
	    "\nip daddr 10.0.0.0/8" PORTS "1-65535 accept\n" },
	{ "everything", "0.0.0.0/0 443",
	    "\nip daddr 0.0.0.0/0" PORTS "443-443 accept\n" },
	{ "IPv6, in another form", "2001:DB8:0::1 8000-8099",
	    "\nip6 daddr 2001:db8::1/128" PORTS "8000-8099 accept\n" },
	{ "the resolver", "dns",
	    "\nip daddr 198.51.100.7/32" PORTS "53-53 accept\n" },
	{ "a name", "example.org 443", NULL },
	{ "no port", "192.0.2.1", NULL },
	{ "port 0", "192.0.2.1 0", NULL },
	{ "port 65536", "192.0.2.1 65536", NULL },
	{ "ports backwards", "192.0.2.1 9-8", NULL },
	{ "ports without an end", "192.0.2.1 9-", NULL },
	{ "too many bits", "192.0.2.1/33 1", NULL },
	{ "too many bits of IPv6", "2001:db8::/129 1", NULL },
	{ "no bits", "192.0.2.1/ 1", NULL },
	{ "two blanks", "192.0.2.1  1", NULL },
	{ "more words", "192.0.2.1 1 accept", NULL },
	{ "a rule of nft", "192.0.2.1 1;flush ruleset", NULL },
	{ "a zone", "fe80::1%eth0 1", NULL },
	{ "an old form", "192.0.513 1", NULL },
	{ "octal", "192.0.2.010 1", NULL },
	{ "empty", "", NULL },
	{ "DNS in capitals", "DNS", NULL },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct provider_network network = { .full = true, .allow_count = 1 };
	cleanup_buf struct buf text = BUF_INIT(4096);
	struct sbx_why why = { "" };
	enum sbx_err err;

	(void)snprintf(
	    network.allow[0], sizeof(network.allow[0]), "%s", row->line);
	err = rules_check(&network, &why);
	if (row->rule == NULL) {
		assert_int_equal(err, SBX_BAD_VALUE);
		assert_non_null(strstr(why.text, row->line));
		return;
	}
	assert_int_equal(err, SBX_OK);
	rules_put(&network, "198.51.100.7", &text);
	assert_int_equal(buf_error(&text), SBX_OK);
	assert_non_null(strstr(buf_text(&text), row->rule));
	assert_non_null(strstr(buf_text(&text), "policy drop"));
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	return cases_run("rules");
}
