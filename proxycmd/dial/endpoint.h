/* SPDX-License-Identifier: ISC */
/*
 * Where a sandbox can be reached, as the broker names it (DESIGN, endpoints):
 *
 *	unix:/path
 *	tcp://host:port			an IPv6 address in brackets
 *	vsock:CID:PORT
 *	unix-mux:/path#PORT		a VMM's socket, all ports of its guest
 *	connect://[user@]proxy:port/host:port
 *	exec:NAME/ID			a command of the user's configuration
 *	tls://host:port[?alpn=ssh]
 *	wss://host[:port]/path, ws://	the latter to this machine only
 *
 * proxycmd/dial/kind has the table of them.
 */
#ifndef SBX_ENDPOINT_H
#define SBX_ENDPOINT_H

#include <stdint.h>
#include <sys/un.h>

#include "common/err.h"

#define ENDPOINT_PATH_LEN sizeof(((struct sockaddr_un *)NULL)->sun_path)
#define ENDPOINT_HOST_LEN 256
#define ENDPOINT_PORT_LEN 6
#define ENDPOINT_TEXT_LEN 512
#define ENDPOINT_NAME_LEN 64
#define ENDPOINT_ID_LEN 192

struct kind;

struct endpoint {
	const struct kind *kind;
	char text[ENDPOINT_TEXT_LEN]; /* all of it */
	char path[ENDPOINT_PATH_LEN]; /* unix, unix-mux */
	/* tcp, tls; of the proxy: name or address, no brackets */
	char host[ENDPOINT_HOST_LEN];
	char port[ENDPOINT_PORT_LEN]; /* 1 to 65535 */
	uint32_t cid, number;	      /* vsock: both; unix-mux: the port */
	char user[ENDPOINT_NAME_LEN]; /* connect: at the proxy; "": any */
	char target[ENDPOINT_HOST_LEN + ENDPOINT_PORT_LEN + 2]; /* behind it */
	char name[ENDPOINT_NAME_LEN]; /* exec: which command */
	char id[ENDPOINT_ID_LEN];     /* and what %i stands for in it */
};

/* SBX_BAD_VALUE for text that is no endpoint. */
enum sbx_err endpoint_parse(
    const char *text, struct endpoint *ret, struct sbx_why *why) MUST_USE;

/* What stands behind the prefix; for the table alone. */
typedef enum sbx_err endpoint_parser(const char *rest, struct endpoint *ret);
endpoint_parser endpoint_parse_unix;
endpoint_parser endpoint_parse_tcp;
endpoint_parser endpoint_parse_vsock;
endpoint_parser endpoint_parse_mux;
endpoint_parser endpoint_parse_connect;
endpoint_parser endpoint_parse_exec;
endpoint_parser endpoint_parse_tls;
endpoint_parser endpoint_parse_wss;
endpoint_parser endpoint_parse_ws;

#endif
