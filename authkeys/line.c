/* SPDX-License-Identifier: ISC */
#include "authkeys/line.h"

#include "certs/permit.h"
#include "common/name.h"

void
line_put(const char *sandbox_id, unsigned permit,
    const uint8_t ca[static KEY_ED25519_LEN], struct buf *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);

	/* It stands between quotes: the last place to look at it. */
	if (!name_is_id(VIEW_STR(sandbox_id)))
		buf_fail(ret, SBX_INTERNAL);
	buf_printf(
	    ret, "cert-authority,principals=\"%s\",restrict", sandbox_id);
	for (size_t i = 0; i < permit_row_count; i++) {
		if ((permit & permit_rows[i].bit) != 0)
			buf_printf(ret, ",%s", permit_rows[i].word);
	}
	buf_put_text(ret, " ");
	key_put_ed25519(ca, &blob);
	if (buf_error(&blob) != SBX_OK)
		buf_fail(ret, buf_error(&blob));
	key_put_line(buf_view(&blob), /* comment= */ NULL, ret);
	buf_put_text(ret, "\n");
}
