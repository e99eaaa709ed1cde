/* SPDX-License-Identifier: ISC */
#include "proxycmd/relay/plan.h"

#include <string.h>
#include <strings.h>

#include "proxycmd/dial/kind.h"

/* The kinds that are relayed. */
static const struct way {
	const char *prefix;
	bool tls, web;
	/* of the broker that is at the same place */
	const char *broker_prefix;
} ways[] = {
	{ "tls://", true, false, NULL },
	{ "wss://", true, true, "https://" },
	{ "ws://", false, true, "http://" },
};

static const struct way *
find_way(const struct endpoint *endpoint)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].prefix, endpoint->kind->prefix) == 0)
			return &ways[i];
	}
	return NULL;
}

enum sbx_err
tunnel_plan(const struct endpoint *endpoint, const struct settings *settings,
    struct link_request *ret, struct sbx_why *why)
{
	const struct way *way = find_way(endpoint);
	const char *rest, *ca_file = settings->endpoint_ca_file;

	if (way == NULL)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s is not an endpoint for sandbox-relay", endpoint->text);
	if (*ca_file == '\0')
		ca_file = settings->broker.ca_file;
	rest = endpoint->text + strlen(way->prefix);
	*ret = (struct link_request){ .host = endpoint->host,
		.port = endpoint->port,
		.tls = way->tls,
		.alpn = !way->web && strchr(rest, '?') != NULL ? "ssh" : NULL,
		.ca_file = *ca_file == '\0' ? NULL : ca_file,
		.web = way->web,
		.path = rest + strcspn(rest, "/"),
		.timeout = TUNNEL_TIMEOUT };
	return SBX_OK;
}

bool
tunnel_is_broker(const struct endpoint *endpoint, const char *url)
{
	const struct way *way = find_way(endpoint);
	struct endpoint broker = { .kind = NULL };
	char text[ENDPOINT_TEXT_LEN];

	if (way == NULL || way->broker_prefix == NULL ||
	    strncmp(url, way->broker_prefix, strlen(way->broker_prefix)) != 0)
		return false;
	(void)snprintf(text, sizeof(text), "%s%s", way->prefix,
	    url + strlen(way->broker_prefix));
	return endpoint_parse(text, &broker, NULL) == SBX_OK &&
	    strcasecmp(broker.host, endpoint->host) == 0 &&
	    strcmp(broker.port, endpoint->port) == 0;
}
