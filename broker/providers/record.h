/* SPDX-License-Identifier: ISC */
/*
 * What the driver of a platform keeps of a sandbox, in STATE/PROVIDER/ID: which
 * one it is there, and the credentials that are shared by all who log in.  It
 * is locked while it is open, against other processes, too.
 */
#ifndef SBX_PROVIDER_RECORD_H
#define SBX_PROVIDER_RECORD_H

#include "broker/providers/provider.h"

#define RECORD_NATIVE_LEN 128

struct record {
	int dir_fd, lock_fd;
	char id[NAME_ID_MAX + 1];
	/* "": this sandbox is not known here */
	char native[RECORD_NATIVE_LEN]; /* its id at the platform */
	char user[PROVIDER_USER_LEN];	/* a token; "": there is none */
	uint64_t expires_at;		/* of that */
	char endpoint[PROVIDER_LINE];	/* where it opens */
	uint64_t auto_stop;		/* seconds, of the platform; 0: never */
};

#define RECORD_INIT                         \
	{                                   \
		.dir_fd = -1, .lock_fd = -1 \
	}

/* Waits for the lock.  Nothing there is SBX_OK, and all of it empty. */
enum sbx_err
record_open(const struct provider_context *context, const char *provider,
    const char *id, struct record *ret, struct sbx_why *why) MUST_USE;
/* As it is now; mode 0600. */
enum sbx_err
record_write(const struct record *record, struct sbx_why *why) MUST_USE;
void record_remove(const struct record *record);
void record_close(struct record *record); /* wipes it, too */
#define cleanup_record __attribute__((cleanup(record_close)))

#endif
