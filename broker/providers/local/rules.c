/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/rules.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "common/text.h"

#define DNS "dns"

struct rule {
	bool dns;
	bool v6;
	char address[INET6_ADDRSTRLEN]; /* as inet_ntop writes it */
	uint64_t bits;
	uint64_t from, to;
};

/* Of two parts at the first c; false if there is none. */
static bool
split(char *text, char c, char **ret_rest)
{
	char *at = strchr(text, c);

	if (at == NULL)
		return false;
	*at = '\0';
	*ret_rest = at + 1;
	return true;
}

static bool
parse_ports(char *text, struct rule *ret)
{
	char *last = text;

	(void)split(text, '-', &last);
	return text_uint(text, 1, 65535, &ret->from) == SBX_OK &&
	    text_uint(last, ret->from, 65535, &ret->to) == SBX_OK;
}

/* What comes from outside is written anew, not passed on. */
static bool
parse(const char *line, struct rule *ret)
{
	char text[PROVIDER_ALLOW_LEN], *port, *bits;
	uint8_t bytes[sizeof(struct in6_addr)];
	int family;

	*ret = (struct rule){ .dns = strcmp(line, DNS) == 0 };
	if (ret->dns)
		return true;
	(void)snprintf(text, sizeof(text), "%s", line);
	if (!split(text, ' ', &port) || !parse_ports(port, ret))
		return false;
	ret->v6 = strchr(text, ':') != NULL;
	family = ret->v6 ? AF_INET6 : AF_INET;
	ret->bits = ret->v6 ? 128 : 32;
	if (split(text, '/', &bits) &&
	    text_uint(bits, 0, ret->bits, &ret->bits) != SBX_OK)
		return false;
	return inet_pton(family, text, bytes) == 1 &&
	    inet_ntop(family, bytes, ret->address, sizeof(ret->address)) !=
	    NULL;
}

enum sbx_err
rules_check(const struct provider_network *network, struct sbx_why *why)
{
	struct rule rule;

	for (size_t i = 0; i < network->allow_count; i++) {
		if (!parse(network->allow[i], &rule))
			return sbx_fail(why, SBX_BAD_VALUE,
			    "'%.70s' is no destination: ADDRESS PORT, like "
			    "192.0.2.1 443 or 2001:db8::/32 8000-8099, or dns",
			    network->allow[i]);
	}
	return SBX_OK;
}

static void
put_rule(const struct rule *rule, struct buf *ret)
{
	buf_printf(ret,
	    "%s daddr %s/%" PRIu64
	    " meta l4proto { tcp, udp } th dport %" PRIu64 "-%" PRIu64
	    " accept\n",
	    rule->v6 ? "ip6" : "ip", rule->address, rule->bits, rule->from,
	    rule->to);
}

void
rules_put(const struct provider_network *network, const char *resolver,
    struct buf *ret)
{
	bool v6 = strchr(resolver, ':') != NULL;
	struct rule rule,
	    dns = { .v6 = v6, .bits = v6 ? 128 : 32, .from = 53, .to = 53 };

	(void)snprintf(dns.address, sizeof(dns.address), "%s", resolver);
	buf_put_text(ret,
	    "table inet sandbox {\n"
	    "chain output {\n"
	    "type filter hook output priority 0; policy drop;\n"
	    "oifname \"lo\" accept\n"
	    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, "
	    "nd-router-solicit } accept\n");
	for (size_t i = 0; i < network->allow_count; i++) {
		if (!parse(network->allow[i], &rule))
			continue;
		if (!rule.dns)
			put_rule(&rule, ret);
		else if (*resolver != '\0')
			put_rule(&dns, ret);
	}
	/* Whoever tries is told at once. */
	buf_put_text(ret,
	    "meta l4proto tcp reject with tcp reset\n"
	    "reject with icmpx admin-prohibited\n"
	    "}\n}\n");
}
