/* SPDX-License-Identifier: ISC */
#include "common/refusal.h"

#include <inttypes.h>
#include <string.h>

#include "common/text.h"

void
refusal_put(const struct refusal *refusal, struct buf *ret)
{
	size_t start = ret->len;

	buf_printf(
	    ret, "%" PRIu64 " %s", refusal->when, sbx_err_name(refusal->err));
	for (size_t len = ret->len - start; len < REFUSAL_LEN - 1; len++)
		buf_put_u8(ret, ' ');
	buf_put_u8(ret, '\n');
}

enum sbx_err
refusal_parse(struct view line, struct refusal *ret)
{
	struct view number, reason, rest;
	struct refusal refusal;
	char text[REFUSAL_LEN];

	if (line.len != REFUSAL_LEN || line.p[REFUSAL_LEN - 1] != '\n')
		return SBX_BAD_VALUE;
	rest = VIEW(line.p, REFUSAL_LEN - 1);
	if (!text_next_word(&rest, &number) ||
	    text_copy(number, text, sizeof(text)) != SBX_OK ||
	    text_uint(text, 0, INT64_MAX, &refusal.when) != SBX_OK)
		return SBX_BAD_VALUE;
	if (!text_next_word(&rest, &reason) ||
	    text_copy(reason, text, sizeof(text)) != SBX_OK ||
	    !sbx_err_find(text, &refusal.err) || refusal.err == SBX_OK ||
	    text_next_word(&rest, &reason))
		return SBX_BAD_VALUE;
	*ret = refusal;
	return SBX_OK;
}
