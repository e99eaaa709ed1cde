/* SPDX-License-Identifier: ISC */
#include "certs/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/text.h"

#define ENTRY_MAX (INET6_ADDRSTRLEN + sizeof("/128"))

struct address {
	int family;
	size_t bits;
	uint8_t bytes[sizeof(struct in6_addr)];
};

static bool
parse_address(const char *text, struct address *ret)
{
	char again[INET6_ADDRSTRLEN];

	ret->family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
	ret->bits = ret->family == AF_INET ? 32 : 128;
	if (inet_pton(ret->family, text, ret->bytes) != 1 ||
	    inet_ntop(ret->family, ret->bytes, again, sizeof(again)) == NULL)
		return false;
	return strcmp(text, again) == 0;
}

static bool
is_mapped(const struct address *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return a->family == AF_INET6 &&
	    memcmp(a->bytes, prefix, sizeof(prefix)) == 0;
}

static bool
has_host_bits(const struct address *a, size_t prefix)
{
	for (size_t bit = prefix; bit < a->bits; bit++) {
		if ((a->bytes[bit / 8] & (0x80 >> bit % 8)) != 0)
			return true;
	}
	return false;
}

/* An address, and how many bits of it count. */
static bool
parse_entry(struct view text, struct address *ret, size_t *ret_prefix)
{
	char entry[ENTRY_MAX];
	uint64_t prefix;
	char *slash;

	if (text_copy(text, entry, sizeof(entry)) != SBX_OK)
		return false;
	slash = strchr(entry, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!parse_address(entry, ret) || is_mapped(ret))
		return false;
	*ret_prefix = ret->bits;
	if (slash == NULL)
		return true;
	if (text_uint(slash, 0, ret->bits, &prefix) != SBX_OK ||
	    (slash[0] == '0' && slash[1] != '\0'))
		return false;
	*ret_prefix = (size_t)prefix;
	return !has_host_bits(ret, *ret_prefix);
}

static struct view
take_entry(struct view *rest)
{
	const uint8_t *comma =
	    rest->len == 0 ? NULL : memchr(rest->p, ',', rest->len);
	struct view entry = *rest;

	if (comma == NULL) {
		*rest = VIEW(NULL, 0);
		return entry;
	}
	entry.len = (size_t)(comma - rest->p);
	*rest = VIEW(comma + 1, rest->len - entry.len - 1);
	return entry;
}

bool
cidr_list_is_canonical(struct view list)
{
	struct view rest = list;

	for (size_t count = 0; count < CIDR_LIST_MAX; count++) {
		struct view entry = take_entry(&rest);
		struct address address;
		size_t prefix;

		if (!parse_entry(entry, &address, &prefix))
			return false;
		if (rest.p == NULL)
			return true;
	}
	return false;
}

static bool
is_within(const struct address *a, const struct address *range, size_t prefix)
{
	struct address left = *a;

	if (a->family != range->family)
		return false;
	for (size_t i = 0; i < a->bits / 8; i++)
		left.bytes[i] ^= range->bytes[i];
	for (size_t bit = 0; bit < prefix; bit++) {
		if ((left.bytes[bit / 8] & (0x80 >> bit % 8)) != 0)
			return false;
	}
	return true;
}

bool
cidr_list_has(struct view list, const char *text)
{
	struct view rest = list;
	struct address peer;

	if (!parse_address(text, &peer))
		return false;
	for (size_t count = 0; count < CIDR_LIST_MAX; count++) {
		struct view entry = take_entry(&rest);
		struct address range;
		size_t prefix;

		if (!parse_entry(entry, &range, &prefix))
			return false;
		if (is_within(&peer, &range, prefix))
			return true;
		if (rest.p == NULL)
			return false;
	}
	return false;
}
