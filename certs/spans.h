/* SPDX-License-Identifier: ISC */
/*
 * A set of big-endian numbers as sorted spans in a file, with hashes above
 * them: whoever trusts the root's hash can ask for one number and reads and
 * hashes one block of each level, whatever the size of the set.
 * doc/revocations.md has the layout.
 */
#ifndef SBX_CERTS_SPANS_H
#define SBX_CERTS_SPANS_H

#include <sodium.h>

#include "common/buf.h"

#define SPANS_FANOUT 128    /* rows of a block */
#define SPANS_KEY_MAX 32    /* bytes of a number */
#define SPANS_LEVELS 4	    /* rows, and three levels of hashes above them */
#define SPANS_MAX 0x1000000 /* rows of a set: 2^24 */
#define SPANS_HASH_LEN 32   /* BLAKE2b-256 */

struct spans {
	size_t key;	 /* bytes of a number */
	bool pairs;	 /* a row is first and last number, else a single one */
	uint64_t count;	 /* rows, at most SPANS_MAX */
	uint64_t offset; /* where the rows start in the file */
	uint8_t root[SPANS_HASH_LEN];
};

/* Bytes of one row. */
size_t spans_width(const struct spans *spans) MUST_USE;
/* Bytes of the rows and of all hashes above them. */
uint64_t spans_size(const struct spans *spans) MUST_USE;

/*
 * Append to ret what is in the file for count rows, which are sorted; set
 * spans->root.  key, pairs and count are given.
 */
void spans_put(struct spans *spans, struct view rows, struct buf *ret);

/*
 * Is the number (spans->key bytes) in the set?  Whatever is read is checked
 * against root, and its order too: SBX_TRUNCATED when the file ends early,
 * SBX_BAD_VALUE when it holds something else than what was hashed, or rows
 * out of order or overlapping.  *ret_found is set only with SBX_OK.
 */
enum sbx_err spans_find(const struct spans *spans, int fd,
    const uint8_t *number, bool *ret_found) MUST_USE;

/* All of it, at this place in a file; short is SBX_TRUNCATED. */
enum sbx_err spans_pread(int fd, uint64_t offset, void *ret, size_t n) MUST_USE;

#endif
