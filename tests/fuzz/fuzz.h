/* SPDX-License-Identifier: ISC */
/*
 * What the fuzz targets share.  An input may do anything but crash, leak or
 * break what FUZZ_ASSERT claims.
 */
#ifndef SBX_TESTS_FUZZ_H
#define SBX_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define FUZZ_ASSERT(claim)                                                     \
	do {                                                                   \
		if (!(claim)) {                                                \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #claim);                                 \
			abort();                                               \
		}                                                              \
	} while (0)

/* A new folder, in memory where TMPDIR says so: see run.sh. */
static inline void
fuzz_folder(char *ret, size_t size)
{
	const char *top = getenv("TMPDIR");

	(void)snprintf(ret, size, "%s/sandbox-ssh-fuzz.XXXXXX",
	    top == NULL ? "/tmp" : top);
	FUZZ_ASSERT(mkdtemp(ret) != NULL);
}

#endif
