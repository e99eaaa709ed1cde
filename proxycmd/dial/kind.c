/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/kind.h"

#include <string.h>

static const struct kind kinds[] = {
	{ "unix:", "/PATH", true, endpoint_parse_unix, false,
	    attempt_start_unix, NULL },
	{ "tcp://", "HOST:PORT", false, endpoint_parse_tcp, true,
	    attempt_start_tcp, NULL },
	{ "vsock:", "CID:PORT", true, endpoint_parse_vsock, false,
	    attempt_start_vsock, NULL },
	{ "unix-mux:", "/PATH#PORT", true, endpoint_parse_mux, false,
	    attempt_start_unix, greeting_mux },
	{ "connect://", "[USER@]PROXY:PORT/HOST:PORT", false,
	    endpoint_parse_connect, true, attempt_start_tcp, greeting_proxy },
	{ "exec:", "NAME/ID", true, endpoint_parse_exec, false,
	    attempt_start_exec, NULL },
	{ "tls://", "HOST:PORT", false, endpoint_parse_tls, false,
	    attempt_start_relay, NULL },
	{ "wss://", "HOST[:PORT]/PATH", false, endpoint_parse_wss, false,
	    attempt_start_relay, NULL },
	{ "ws://", "HOST[:PORT]/PATH, HOST being this machine", true,
	    endpoint_parse_ws, false, attempt_start_relay, NULL },
};

const struct kind *
kind_find(const char *text)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) ==
		    0)
			return &kinds[i];
	}
	return NULL;
}
