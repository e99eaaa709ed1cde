/*
 * Talking to the broker: where it is, starting one for this user when none
 * is configured, one call, its errors as ours.
 */
#ifndef SBX_NET_CLIENT_H
#define SBX_NET_CLIENT_H

#include <json-c/json.h>

#include "net/http.h"
#include "net/settings.h"

struct client {
	const struct paths *paths;
	struct settings settings;
	bool networked;		/* reached over a network, not a UNIX socket */
	char socket[PATHS_MAX]; /* "" over a network */
	char base[FIELD_TEXT];	/* "https://host/prefix" or http://localhost */
	char token[FIELD_TEXT]; /* "" for none; wiped by client_close */
	void (*progress)(void *context); /* see http.h; may be NULL */
	void *progress_context;
};

/*
 * Settings, the token, and the broker's place: the configured url; otherwise
 * this user's socket if something listens there, otherwise the system's
 * (/run/sandbox-ssh/sandboxd.sock), otherwise sandboxd is started for this
 * user and waited for.  token_file must be readable by its owner only.
 */
enum sbx_err client_open(const struct paths *paths, const char *config,
    struct client *ret, struct sbx_why *why) MUST_USE;
/* The same for the broker of the domain that name (an alias) is in. */
enum sbx_err client_open_for(const struct paths *paths, const char *config,
    const char *name, struct client *ret, struct sbx_why *why) MUST_USE;
void client_close(struct client *client); /* NULL allowed */

/*
 * One call.  path starts with "/v1/"; body may be NULL; extra is added to
 * the configured timeout (for calls that wait on the broker's side).  An
 * error status is turned into the code that the broker named, its detail in
 * why.  *ret is NULL for an empty answer (204); the caller frees it.
 */
enum sbx_err client_call(struct client *client, const char *method,
    const char *path, struct json_object *body, unsigned extra,
    struct json_object **ret, struct sbx_why *why) MUST_USE;

#endif
