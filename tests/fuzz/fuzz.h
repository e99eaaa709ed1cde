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

#endif
