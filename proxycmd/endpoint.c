#include "proxycmd/endpoint.h"

#include <stddef.h>
#include <string.h>

#include "common/text.h"

typedef enum sbx_err rest_parser(const char *rest, struct endpoint *ret);

static enum sbx_err
parse_unix(const char *rest, struct endpoint *ret)
{
	ret->kind = ENDPOINT_UNIX;
	if (*rest != '/')
		return SBX_BAD_VALUE;
	return text_copy(VIEW_STR(rest), ret->path, sizeof(ret->path));
}

/* What a name or an address is made of; the resolver judges the rest. */
static bool
is_host(struct view text, bool bracketed)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_";

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];

		if (c != '\0' && strchr(name, c) != NULL)
			continue;
		if (!bracketed || (c != ':' && c != '%'))
			return false;
	}
	return text.len > 0 && text.p[0] != '-';
}

static enum sbx_err
parse_tcp(const char *rest, struct endpoint *ret)
{
	const char *colon = strrchr(rest, ':');
	struct view host = VIEW(rest, 0);
	bool bracketed = *rest == '[';
	uint64_t port;

	ret->kind = ENDPOINT_TCP;
	if (colon == NULL)
		return SBX_BAD_VALUE;
	host.len = (size_t)(colon - rest);
	if (bracketed) {
		if (host.len < 2 || rest[host.len - 1] != ']')
			return SBX_BAD_VALUE;
		host.p++;
		host.len -= 2;
	}
	if (!is_host(host, bracketed) ||
	    text_uint(colon + 1, 1, UINT16_MAX, &port) != SBX_OK ||
	    text_copy(host, ret->host, sizeof(ret->host)) != SBX_OK)
		return SBX_BAD_VALUE;
	return text_copy(VIEW_STR(colon + 1), ret->port, sizeof(ret->port));
}

/* Every scheme of the design; without a parser: not in this version. */
static const struct scheme {
	const char *prefix;
	rest_parser *parse;
} schemes[] = {
	{ "unix:", parse_unix },
	{ "tcp://", parse_tcp },
	{ "vsock:", NULL },
	{ "unix-mux:", NULL },
	{ "tls://", NULL },
	{ "wss://", NULL },
	{ "connect://", NULL },
	{ "exec:", NULL },
};

enum sbx_err
endpoint_parse(const char *text, struct endpoint *ret, struct sbx_why *why)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const struct scheme *s = &schemes[i];
		size_t len = strlen(s->prefix);

		if (strncmp(text, s->prefix, len) != 0)
			continue;
		if (s->parse == NULL)
			return sbx_fail(why, SBX_UNAVAILABLE,
			    "endpoint '%.200s' is not supported by this "
			    "version: upgrade sandbox-ssh",
			    text);
		*ret = (struct endpoint){ 0 };
		if (s->parse(text + len, ret) == SBX_OK)
			return SBX_OK;
		break;
	}
	return sbx_fail(why, SBX_BAD_VALUE,
	    "'%.200s' is not an endpoint like unix:/PATH or tcp://HOST:PORT",
	    text);
}
