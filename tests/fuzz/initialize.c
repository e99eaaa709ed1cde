/* SPDX-License-Identifier: ISC */
/* With libFuzzer's main function: what has to be done before the first input.
 */
#include <sodium.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	FUZZ_ASSERT(sodium_init() >= 0);
	return 0;
}
