/* SPDX-License-Identifier: ISC */
/* What an ssh-agent answers when it is asked to sign. */
#include <string.h>

#include "certs/cmd/agent.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t signature[CA_SIGNATURE_LEN];
	struct sbx_why why = { "" };

	if (agent_read_answer(VIEW(bytes, size), signature, &why) != SBX_OK) {
		FUZZ_ASSERT(why.text[0] != '\0');
		return 0;
	}
	/* There is one form of it: its last bytes are the signature. */
	FUZZ_ASSERT(size == 1 + 4 + 4 + 11 + 4 + CA_SIGNATURE_LEN);
	FUZZ_ASSERT(memcmp(signature, bytes + size - CA_SIGNATURE_LEN,
			CA_SIGNATURE_LEN) == 0);
	return 0;
}
