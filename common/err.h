/* SPDX-License-Identifier: ISC */
/*
 * Every way an operation can end.
 *
 * A function that can fail returns one of these.  When the caller could use
 * particulars (which file, which line), the function also takes a
 * struct sbx_why, which it fills in before returning; NULL is allowed.
 *
 * The name of a code (sbx_err_name) is part of the interface: it is the
 * reason= of the audit line, the "code" member of the broker's errors and
 * what scripts compare with.
 */
#ifndef SBX_ERR_H
#define SBX_ERR_H

#include <stdbool.h>
#include <sysexits.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * code, name, exit status of a program that ends with it, text
 *
 * One status for one kind of failure, whichever program it is:
 *
 *	64  wrong usage; a value on the command line that is none
 *	65  data that was read and is malformed, too large, or not good
 *	66  what is asked for is not there, or cannot be read: a sandbox, a file
 *	69  not now: a broker or sandbox that is down or in another state, a
 *	    program that cannot be run
 *	70  our own fault
 *	71  the system's: no memory
 *	73  it is there already
 *	74  what cannot be written or made, standard output too; an error of a
 *	    device
 *	75  the time was up
 *	76  an answer that cannot be understood
 *	77  somebody said no
 *	78  settings, and the files that they name: missing, unreadable,
 *malformed, or open to others; keys that are open to others
 */
#define SBX_ERRORS(X)                                                          \
	X(OK, "ok", 0, "success")                                              \
	/* programs and files */                                               \
	X(USAGE, "usage", EX_USAGE, "wrong usage")                             \
	X(CONFIG, "config", EX_CONFIG, "configuration error")                  \
	X(NOMEM, "no-memory", EX_OSERR, "out of memory")                       \
	X(IO, "io", EX_IOERR, "input/output error")                            \
	X(UNREADABLE, "unreadable", EX_NOINPUT, "file cannot be read")         \
	X(PROGRAM, "program", EX_UNAVAILABLE, "a program cannot be run")       \
	X(UNTRUSTED, "untrusted-file", EX_CONFIG,                              \
	    "file is not a regular file that only its owner can write")        \
	X(NOT_FOUND, "not-found", EX_NOINPUT, "no such sandbox")               \
	X(EXISTS, "exists", EX_CANTCREAT, "already exists")                    \
	X(STATE, "state", EX_UNAVAILABLE, "not possible in this state")        \
	X(UNAVAILABLE, "unavailable", EX_UNAVAILABLE, "unavailable")           \
	X(TIMEOUT, "timeout", EX_TEMPFAIL, "timed out")                        \
	X(REFUSED, "refused", EX_NOPERM, "refused")                            \
	X(PROTOCOL, "protocol", EX_PROTOCOL, "unexpected answer")              \
	X(INTERNAL, "internal", EX_SOFTWARE, "internal error")                 \
	/* bytes and text */                                                   \
	X(TRUNCATED, "truncated", EX_DATAERR, "message is truncated")          \
	X(TRAILING, "trailing", EX_DATAERR, "trailing bytes")                  \
	X(TOO_LARGE, "too-large", EX_DATAERR, "larger than its limit")         \
	X(ENCODING, "encoding", EX_DATAERR, "not canonical base64")            \
	X(BAD_VALUE, "bad-value", EX_DATAERR, "malformed value")               \
	X(BAD_NAME, "bad-name", EX_USAGE, "not a sandbox name")                \
	/* keys */                                                             \
	X(KEY_TYPE, "key-type", EX_DATAERR, "unsupported key type")            \
	X(KEY_MALFORMED, "key-malformed", EX_DATAERR, "malformed key")         \
	X(KEY_WEAK, "key-weak", EX_DATAERR, "RSA key of less than 2048 bits")  \
	X(KEY_ENCRYPTED, "key-encrypted", EX_DATAERR,                          \
	    "private key is protected by a passphrase")                        \
	X(TYPE_MISMATCH, "type-mismatch", EX_DATAERR,                          \
	    "key type differs from the type inside the key")                   \
	/* certificates */                                                     \
	X(CERT_TYPE, "cert-type", EX_DATAERR, "not a user certificate")        \
	X(CERT_NONCE, "cert-nonce", EX_DATAERR, "nonce is missing")            \
	X(CERT_RESERVED, "cert-reserved", EX_DATAERR,                          \
	    "reserved field is not empty")                                     \
	X(CERT_SIGNATURE, "signature", EX_DATAERR, "signature is wrong")       \
	X(CA_TYPE, "ca-type", EX_DATAERR, "CA key is not a plain Ed25519 key") \
	X(CA_UNKNOWN, "ca-unknown", EX_DATAERR, "signed by an unknown CA")     \
	X(SERIAL_ZERO, "serial-zero", EX_DATAERR, "serial is zero")            \
	X(KEY_ID, "key-id", EX_DATAERR, "key id is empty or malformed")        \
	X(EXPIRED, "expired", EX_DATAERR, "certificate has expired")           \
	X(NOT_YET_VALID, "not-yet-valid", EX_DATAERR,                          \
	    "certificate is not valid yet")                                    \
	X(VALIDITY, "validity", EX_DATAERR,                                    \
	    "certificate ends before it starts")                               \
	X(LIFETIME, "lifetime", EX_DATAERR,                                    \
	    "certificate lives longer than allowed")                           \
	X(ISSUED_EARLIER, "issued-earlier", EX_DATAERR,                        \
	    "certificate is older than this sandbox")                          \
	X(PRINCIPALS, "principals", EX_DATAERR,                                \
	    "certificate does not have exactly one principal")                 \
	X(PRINCIPAL_NAME, "principal-name", EX_DATAERR,                        \
	    "principal is not a sandbox id")                                   \
	X(WRONG_SANDBOX, "wrong-sandbox", EX_DATAERR,                          \
	    "certificate is for another sandbox")                              \
	X(OPTION_ORDER, "option-order", EX_DATAERR,                            \
	    "options are unsorted or repeated")                                \
	X(OPTION_UNKNOWN, "option-unknown", EX_DATAERR,                        \
	    "unknown critical option")                                         \
	X(OPTION_PLACE, "option-place", EX_DATAERR,                            \
	    "critical option stands among the extensions")                     \
	X(OPTION_VALUE, "option-value", EX_DATAERR, "malformed option value")  \
	X(SOURCE_ADDRESS, "source-address", EX_DATAERR,                        \
	    "peer address is not allowed")                                     \
	X(LOGIN_USER, "login-user", EX_DATAERR, "user may not log in")         \
	X(SINGLE_USE, "single-use", EX_DATAERR,                                \
	    "single use cannot be enforced here")                              \
	X(USED, "used", EX_DATAERR, "certificate was used already")            \
	X(CONNECTION, "connection", EX_OSERR,                                  \
	    "connection cannot be told from others")                           \
	/* the chained command */                                              \
	X(THEN, "then", EX_UNAVAILABLE, "the chained command failed")          \
	/* revocation lists */                                                 \
	X(REVOKED, "revoked", EX_DATAERR, "certificate, key or CA is revoked") \
	X(REVOKED_LIST, "revocation-list", EX_DATAERR,                         \
	    "revocation list is missing or damaged")                           \
	X(REVOKED_SIGNER, "revocation-list-signer", EX_DATAERR,                \
	    "revocation list is not signed by a trusted CA")                   \
	X(REVOKED_STALE, "revocation-list-stale", EX_DATAERR,                  \
	    "revocation list is out of date")                                  \
	X(REVOKED_OLDER, "revocation-list-older", EX_DATAERR,                  \
	    "a newer revocation list was seen before")

enum sbx_err {
#define SBX_ENUM(code, name, status, text) SBX_##code,
	SBX_ERRORS(SBX_ENUM)
#undef SBX_ENUM
	    SBX_ERR_COUNT
};

/* "expired"; never NULL. */
const char *sbx_err_name(enum sbx_err err);
/* "certificate has expired"; never NULL. */
const char *sbx_err_text(enum sbx_err err);
/* The sysexits(3) status of a program that ends with this. */
int sbx_err_exit(enum sbx_err err);
/* The code with this name; false, and nothing set, when there is none. */
bool sbx_err_find(const char *name, enum sbx_err *ret_err) MUST_USE;

/*
 * One line for a person: what was wrong, where, what to do.  May hold text
 * from outside as it came: whoever prints it escapes it (log does).
 */
#define SBX_WHY_MAX 512

struct sbx_why {
	char text[SBX_WHY_MAX];
};

/* Fill in why (may be NULL) and return err, so: return sbx_fail(...); */
enum sbx_err sbx_fail(struct sbx_why *why, enum sbx_err err, const char *fmt,
    ...) PRINTF_LIKE(3, 4) MUST_USE;
/* The particulars if there are any, else the text of the code. */
const char *sbx_why_text(const struct sbx_why *why, enum sbx_err err);

#endif
