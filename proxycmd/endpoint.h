/*
 * Where a sandbox can be reached, as the broker names it (DESIGN, endpoints):
 * unix:/path, tcp://host:port, tcp://[v6]:port.
 */
#ifndef SBX_ENDPOINT_H
#define SBX_ENDPOINT_H

#include <sys/un.h>

#include "common/err.h"

#define ENDPOINT_PATH_LEN sizeof(((struct sockaddr_un *)NULL)->sun_path)
#define ENDPOINT_HOST_LEN 256
#define ENDPOINT_PORT_LEN 6

enum endpoint_kind {
	ENDPOINT_UNIX,
	ENDPOINT_TCP,
};

struct endpoint {
	enum endpoint_kind kind;
	char path[ENDPOINT_PATH_LEN]; /* unix */
	char host[ENDPOINT_HOST_LEN]; /* tcp: name or address, no brackets */
	char port[ENDPOINT_PORT_LEN]; /* tcp: 1 to 65535 */
};

/*
 * SBX_BAD_VALUE for text that is no endpoint, SBX_UNAVAILABLE for one of a
 * kind that this version cannot dial.
 */
enum sbx_err endpoint_parse(
    const char *text, struct endpoint *ret, struct sbx_why *why) MUST_USE;

#endif
