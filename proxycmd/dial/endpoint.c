/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/endpoint.h"

#include <stddef.h>
#include <string.h>

#include "common/name.h"
#include "common/text.h"
#include "net/settings.h"
#include "proxycmd/dial/kind.h"

#define NAME_CHARS                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789"

/* What a name or an address is made of; the resolver judges the rest. */
static bool
is_made_of(struct view text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\0' || strchr(allowed, text.p[i]) == NULL)
			return false;
	}
	return text.len > 0 && text.p[0] != '-';
}

/* "host:port", "[v6]:port"; the host without its brackets. */
static enum sbx_err
split_host_port(struct view text, char host[static ENDPOINT_HOST_LEN],
    char port[static ENDPOINT_PORT_LEN])
{
	const uint8_t *colon = memrchr(text.p, ':', text.len);
	bool bracketed = text.len > 0 && text.p[0] == '[';
	struct view name = text, number;
	uint64_t value;

	if (colon == NULL)
		return SBX_BAD_VALUE;
	name.len = (size_t)(colon - text.p);
	number = VIEW(colon + 1, text.len - name.len - 1);
	if (bracketed) {
		if (name.len < 2 || name.p[name.len - 1] != ']')
			return SBX_BAD_VALUE;
		name.p++;
		name.len -= 2;
	}
	if (!is_made_of(
		name, bracketed ? NAME_CHARS ".-_:%" : NAME_CHARS ".-_") ||
	    text_copy(name, host, ENDPOINT_HOST_LEN) != SBX_OK ||
	    text_copy(number, port, ENDPOINT_PORT_LEN) != SBX_OK)
		return SBX_BAD_VALUE;
	return text_uint(port, 1, UINT16_MAX, &value);
}

static enum sbx_err
parse_u32(struct view text, uint32_t min, uint32_t *ret)
{
	char digits[11];
	uint64_t value;

	if (text_copy(text, digits, sizeof(digits)) != SBX_OK ||
	    text_uint(digits, min, UINT32_MAX, &value) != SBX_OK)
		return SBX_BAD_VALUE;
	*ret = (uint32_t)value;
	return SBX_OK;
}

enum sbx_err
endpoint_parse_unix(const char *rest, struct endpoint *ret)
{
	if (*rest != '/')
		return SBX_BAD_VALUE;
	return text_copy(VIEW_STR(rest), ret->path, sizeof(ret->path));
}

enum sbx_err
endpoint_parse_tcp(const char *rest, struct endpoint *ret)
{
	return split_host_port(VIEW_STR(rest), ret->host, ret->port);
}

enum sbx_err
endpoint_parse_vsock(const char *rest, struct endpoint *ret)
{
	const char *colon = strchr(rest, ':');

	if (colon == NULL ||
	    parse_u32(VIEW(rest, colon - rest), 1, &ret->cid) != SBX_OK)
		return SBX_BAD_VALUE;
	return parse_u32(VIEW_STR(colon + 1), 1, &ret->number);
}

enum sbx_err
endpoint_parse_mux(const char *rest, struct endpoint *ret)
{
	const char *hash = strrchr(rest, '#');

	if (*rest != '/' || hash == NULL ||
	    text_copy(VIEW(rest, hash - rest), ret->path, sizeof(ret->path)) !=
		SBX_OK)
		return SBX_BAD_VALUE;
	return parse_u32(VIEW_STR(hash + 1), 1, &ret->number);
}

enum sbx_err
endpoint_parse_connect(const char *rest, struct endpoint *ret)
{
	const char *slash = strchr(rest, '/'), *at;
	char host[ENDPOINT_HOST_LEN], port[ENDPOINT_PORT_LEN];
	struct view proxy, target;

	if (slash == NULL)
		return SBX_BAD_VALUE;
	proxy = VIEW(rest, slash - rest);
	target = VIEW_STR(slash + 1);
	at = memchr(proxy.p, '@', proxy.len);
	if (at != NULL) {
		struct view user = VIEW(rest, at - rest);

		if (!is_made_of(user, NAME_CHARS ".-_") ||
		    text_copy(user, ret->user, sizeof(ret->user)) != SBX_OK)
			return SBX_BAD_VALUE;
		proxy = VIEW(at + 1, slash - at - 1);
	}
	/* The target goes to the proxy as it is written, once it is known to
	 * be of the same form. */
	if (split_host_port(proxy, ret->host, ret->port) != SBX_OK ||
	    split_host_port(target, host, port) != SBX_OK)
		return SBX_BAD_VALUE;
	return text_copy(target, ret->target, sizeof(ret->target));
}

enum sbx_err
endpoint_parse_exec(const char *rest, struct endpoint *ret)
{
	const char *slash = strchr(rest, '/');

	if (slash == NULL || !name_is_id(VIEW(rest, slash - rest)) ||
	    text_copy(VIEW(rest, slash - rest), ret->name, sizeof(ret->name)) !=
		SBX_OK ||
	    !is_made_of(VIEW_STR(slash + 1), NAME_CHARS "._:/@+-"))
		return SBX_BAD_VALUE;
	return text_copy(VIEW_STR(slash + 1), ret->id, sizeof(ret->id));
}

enum sbx_err
endpoint_parse_tls(const char *rest, struct endpoint *ret)
{
	size_t len = strcspn(rest, "?");

	if (rest[len] != '\0' && strcmp(rest + len, "?alpn=ssh") != 0)
		return SBX_BAD_VALUE;
	return split_host_port(VIEW(rest, len), ret->host, ret->port);
}

/* "host[:port][/path]", as a browser would write it. */
static enum sbx_err
parse_web(const char *rest, const char *default_port, struct endpoint *ret)
{
	size_t len = strcspn(rest, "/?#");
	const char *end = rest + len, *bracket = memrchr(rest, ']', len);
	struct view path = VIEW_STR(end);
	char authority[ENDPOINT_HOST_LEN + ENDPOINT_PORT_LEN + 2];

	if (memchr(bracket == NULL ? rest : bracket, ':',
		(size_t)(end - (bracket == NULL ? rest : bracket))) == NULL)
		(void)snprintf(authority, sizeof(authority), "%.*s:%s",
		    (int)len, rest, default_port);
	else
		(void)snprintf(
		    authority, sizeof(authority), "%.*s", (int)len, rest);
	if (path.len > 0 &&
	    (path.p[0] != '/' ||
		!is_made_of(path, NAME_CHARS "-._~:/?[]@!$&'()*+,;=%")))
		return SBX_BAD_VALUE;
	return split_host_port(VIEW_STR(authority), ret->host, ret->port);
}

enum sbx_err
endpoint_parse_wss(const char *rest, struct endpoint *ret)
{
	return parse_web(rest, "443", ret);
}

enum sbx_err
endpoint_parse_ws(const char *rest, struct endpoint *ret)
{
	enum sbx_err err = parse_web(rest, "80", ret);

	if (err == SBX_OK && !settings_is_loopback(VIEW_STR(ret->host)))
		return SBX_BAD_VALUE;
	return err;
}

enum sbx_err
endpoint_parse(const char *text, struct endpoint *ret, struct sbx_why *why)
{
	const struct kind *kind = kind_find(text);

	if (kind == NULL)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "'%.200s' is not an endpoint of a known kind: is this "
		    "sandbox-ssh older than the broker?",
		    text);
	*ret = (struct endpoint){ .kind = kind };
	if (text_copy(VIEW_STR(text), ret->text, sizeof(ret->text)) != SBX_OK ||
	    kind->parse(text + strlen(kind->prefix), ret) != SBX_OK)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "'%.200s' is not an endpoint like %s%s", text, kind->prefix,
		    kind->form);
	return SBX_OK;
}
