/* SPDX-License-Identifier: ISC */
/*
 * What the cache knows of one alias: CACHE/ALIAS/session, lines "key=value",
 * and which files stand beside it for ssh.  Written by sandbox-resolve as the
 * last of them, so a session that can be read belongs to credentials that
 * were complete.
 */
#ifndef SBX_SESSION_H
#define SBX_SESSION_H

#include <stdint.h>

#include "common/buf.h"
#include "common/name.h"
#include "common/paths.h"
#include "proxycmd/origin.h"

#define SESSION_VERSION 1
#define SESSION_FILE_MAX 16384
#define SESSION_ENDPOINTS 8
#define SESSION_ENDPOINT_LEN 512
#define SESSION_USER_LEN 256 /* a gateway's token may be a user name */
#define SESSION_MARGIN                                        \
	30 /* seconds: clocks differ, key exchange takes time \
	    */

/* The files of one alias. */
#define CACHE_KEY "id_ed25519"
#define CACHE_PUBLIC_KEY "id_ed25519.pub"
#define CACHE_CERT "id_ed25519-cert.pub"
#define CACHE_KNOWN_HOSTS "known_hosts"
#define CACHE_SESSION "session"
/*
 * Key and certificate in one, for an ssh that has already read the others when
 * its sandbox turns out to be another by now (host_key.h).
 */
#define CACHE_ANEW "id_ed25519-anew"
/* Of all of them, beside their folders: hosts.h. */
#define CACHE_HOSTS "hosts.conf"

/* Those that ssh reads. */
enum session_file {
	SESSION_KEY,
	SESSION_PUBLIC_KEY,
	SESSION_CERT,
	SESSION_KNOWN_HOSTS,
	SESSION_HOSTS, /* a gateway's user name stands there */
	SESSION_FILES
};

struct session {
	char id[NAME_ID_MAX + 1];
	/* Which of all that had this id; "": the broker does not tell. */
	char incarnation[NAME_ID_MAX + 1];
	char user[SESSION_USER_LEN];
	bool running;		  /* state=running; anything else: false */
	uint64_t not_after;	  /* Unix time at which the certificate ends */
	bool single_use;	  /* good for one connection */
	bool local_kex;		  /* hosts.h: HOSTS_LOCAL_KEX */
	bool shell_tried;	  /* what it prints was seen to (shell.h) */
	char broker[FIELD_TEXT];  /* client.h: place */
	char origin[ORIGIN_LEN];  /* as it was then */
	bool file[SESSION_FILES]; /* which of them there are */
	bool anew; /* CACHE_ANEW is there; session_find looks, not for local */
	size_t endpoint_count;
	char endpoint[SESSION_ENDPOINTS][SESSION_ENDPOINT_LEN];
};

/*
 * Read CACHE/ALIAS/session.  SBX_NOT_FOUND if there is none; SBX_BAD_VALUE
 * for one that is not ours to trust or not whole: to be fetched again.
 */
enum sbx_err session_read(
    const char *cache, const struct alias *alias, struct session *ret) MUST_USE;
/*
 * The same, for who is about to use the credentials: SBX_NOT_FOUND also if
 * one of the files is gone or empty, or hosts.conf damaged.
 */
enum sbx_err session_find(
    const char *cache, const struct alias *alias, struct session *ret) MUST_USE;
/* The text of the file.  Every member must be as session_read demands. */
void session_put(const struct session *session, struct buf *ret);
/* No byte of a connection leaves this machine. */
bool session_is_local(const struct session *session) MUST_USE;
/*
 * Does it look as if that sandbox were still there?  The sockets of one that
 * was stopped or removed are gone.  A network has to be asked, which is not
 * done here: what was running there is taken to be so, unless it was just
 * found to be another.
 */
bool session_is_there(const struct session *session) MUST_USE;
/*
 * May another connection start with its credentials?  Not in the last
 * SESSION_MARGIN seconds, not if they were asked for with another
 * configuration, and never if they are for single use: for those every
 * connection gets its own.
 */
bool session_is_fresh(
    const struct session *session, uint64_t now, const char *origin) MUST_USE;
/* The certificate has not ended: what was prepared for this connection. */
bool session_is_valid(const struct session *session, uint64_t now) MUST_USE;

#endif
