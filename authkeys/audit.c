/* SPDX-License-Identifier: ISC */
#include "authkeys/audit.h"

#include <inttypes.h>
#include <string.h>

#include "common/text.h"

static void
put_cert(const struct cert *cert, struct buf *ret)
{
	cleanup_buf struct buf key = BUF_INIT(CERT_BLOB_MAX);
	char key_print[KEY_FINGERPRINT_LEN], ca_print[KEY_FINGERPRINT_LEN];

	cert_put_public_key(cert, &key);
	key_fingerprint(buf_view(&key), key_print);
	key_fingerprint(cert->ca, ca_print);
	buf_printf(ret, " serial=%" PRIu64 " key=%s ca=%s keyid=", cert->serial,
	    key_print, ca_print);
	text_escape(cert->key_id, AUDIT_KEY_ID_MAX, /* quote= */ true, ret);
}

static void
put_plain_key(struct view key, struct buf *ret)
{
	char key_print[KEY_FINGERPRINT_LEN] = "";

	if (key.len > 0)
		key_fingerprint(key, key_print);
	buf_printf(ret, " serial= key=%s ca= keyid=", key_print);
}

/* For people, so blanks stay; the quotes around it must stay the only ones. */
static void
put_detail(const char *detail, struct buf *ret)
{
	char text[SBX_WHY_MAX];

	(void)snprintf(text, sizeof(text), "%s", detail);
	for (char *c = text; *c != '\0'; c++) {
		if (*c == '"')
			*c = '\'';
	}
	buf_put_text(ret, " detail=\"");
	text_escape(VIEW_STR(text), sizeof(text), /* quote= */ false, ret);
	buf_put_text(ret, "\"");
}

void
audit_put(const struct audit *audit, struct buf *ret)
{
	if (audit->err == SBX_OK)
		buf_put_text(ret, audit->cert != NULL ? "allow" : "chained");
	else
		buf_printf(ret, "deny reason=%s", sbx_err_name(audit->err));
	buf_put_text(ret, " user=");
	text_escape(
	    VIEW_STR(audit->user), AUDIT_USER_MAX, /* quote= */ true, ret);
	buf_put_text(ret, " sandbox=");
	text_escape(VIEW_STR(audit->sandbox_id), AUDIT_USER_MAX,
	    /* quote= */ true, ret);
	if (audit->cert != NULL)
		put_cert(audit->cert, ret);
	else
		put_plain_key(audit->key, ret);
	if (audit->detail[0] != '\0')
		put_detail(audit->detail, ret);
}
