/*
 * Endpoints as a broker names them.  What is accepted can be handed to the
 * resolver and to connect(2) as it is.
 */
#include <string.h>

#include "common/buf.h"
#include "proxycmd/endpoint.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT(65536);
	struct endpoint endpoint = { .path = "" };
	struct sbx_why why = { "" };

	buf_put(&text, bytes, size);
	if (buf_error(&text) != SBX_OK)
		return 0;
	if (endpoint_parse(buf_text(&text), &endpoint, &why) != SBX_OK) {
		FUZZ_ASSERT(why.text[0] != '\0');
		return 0;
	}
	FUZZ_ASSERT(endpoint.kind != NULL);
	FUZZ_ASSERT(endpoint.path[0] == '\0' || endpoint.path[0] == '/');
	FUZZ_ASSERT(strlen(endpoint.path) < ENDPOINT_PATH_LEN);
	FUZZ_ASSERT(endpoint.host[0] != '-');
	FUZZ_ASSERT(strpbrk(endpoint.host, "/@[]\n\" ") == NULL);
	FUZZ_ASSERT(
	    strspn(endpoint.port, "0123456789") == strlen(endpoint.port));
	return 0;
}
