/* SPDX-License-Identifier: ISC */
/*
 * The process that has the CA key, and how the others ask it.  It takes
 * nothing on trust: whatever http asks for, it signs only a user certificate
 * for one sandbox, over a key of a known type, that ends within a day.
 */
#ifndef SBX_BROKER_SIGNER_H
#define SBX_BROKER_SIGNER_H

#include "broker/gather.h"
#include "broker/helper/helper.h"
#include "certs/build.h"

#define SIGNER_TIMEOUT 10 /* seconds */
#define SIGNER_AT_ONCE 64 /* certificates that one request may want */

/* In the signer's process. */
struct signer {
	struct keypair ca;
	uint64_t (*now)(void); /* Unix time */
};

/* A helper_job over a struct signer. */
helper_job signer_job;

/* "CALLER/ID/SERIAL", the serial in 16 hexadecimal digits. */
#define SIGNER_SERIAL_LEN 17
void signer_put_serial(uint64_t serial, char ret[static SIGNER_SERIAL_LEN]);

/* In any other process: the caller's end, and those who wait for it. */
struct signer_line {
	int fd;
	struct gather callers;
};

void signer_line_init(struct signer_line *line, int fd);

/*
 * The certificate's blob is appended to ret.  SBX_REFUSED if the signer's own
 * rules forbid it.  Any thread; those who ask at the same time ask at once.
 */
enum sbx_err
signer_sign(struct signer_line *line, const struct cert_request *request,
    struct buf *ret, struct sbx_why *why) MUST_USE;

#endif
