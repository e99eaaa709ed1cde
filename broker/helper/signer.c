/* SPDX-License-Identifier: ISC */
#include "broker/helper/signer.h"

#include <inttypes.h>
#include <string.h>

#include "certs/check.h"
#include "common/name.h"
#include "common/text.h"

#define SIGNER_TEXT_MAX CERT_KEY_ID_MAX

/* What came over the wire, with NULs behind the texts. */
struct asked {
	struct view public_key;
	char principal[NAME_ID_MAX + 1];
	char key_id[CERT_KEY_ID_MAX + 1];
	char source_address[SIGNER_TEXT_MAX + 1];
	char force_command[SIGNER_TEXT_MAX + 1];
	uint64_t serial, valid_after, valid_before;
	uint32_t permit;
	bool single_use;
};

void
signer_put_serial(uint64_t serial, char ret[static SIGNER_SERIAL_LEN])
{
	(void)snprintf(ret, SIGNER_SERIAL_LEN, "%016" PRIx64, serial);
}

static void
read_text(struct wire *w, char *ret, size_t size)
{
	struct view v = wire_string(w, size - 1);

	if (text_copy(v, ret, size) != SBX_OK)
		wire_fail(w, SBX_BAD_VALUE);
}

static enum sbx_err
read_request(struct view bytes, struct asked *ret)
{
	struct wire w = wire_of(bytes);

	ret->public_key = wire_string(&w, KEY_BLOB_MAX);
	read_text(&w, ret->principal, sizeof(ret->principal));
	read_text(&w, ret->key_id, sizeof(ret->key_id));
	ret->serial = wire_u64(&w);
	ret->valid_after = wire_u64(&w);
	ret->valid_before = wire_u64(&w);
	ret->permit = wire_u32(&w);
	ret->single_use = wire_u8(&w) != 0;
	read_text(&w, ret->source_address, sizeof(ret->source_address));
	read_text(&w, ret->force_command, sizeof(ret->force_command));
	return wire_end(&w);
}

/* The audit log rests on key ids: they say the truth about the rest. */
static bool
key_id_fits(const struct asked *asked)
{
	char serial[SIGNER_SERIAL_LEN];
	char end[NAME_ID_MAX + SIGNER_SERIAL_LEN + 3];
	size_t len = strlen(asked->key_id), end_len;

	signer_put_serial(asked->serial, serial);
	(void)snprintf(end, sizeof(end), "/%s/%s", asked->principal, serial);
	end_len = strlen(end);
	return len > end_len &&
	    strcmp(asked->key_id + len - end_len, end) == 0 &&
	    memchr(asked->key_id, '/', len - end_len) == NULL;
}

static enum sbx_err
judge(const struct asked *asked, uint64_t now, struct sbx_why *why)
{
	struct public_key key;
	enum sbx_err err;

	if (!name_is_id(VIEW_STR(asked->principal)))
		return sbx_fail(
		    why, SBX_REFUSED, "the principal is not a sandbox id");
	if (asked->serial == 0)
		return sbx_fail(why, SBX_REFUSED, "the serial is zero");
	if (!key_id_fits(asked))
		return sbx_fail(why, SBX_REFUSED,
		    "the key id is not CALLER/ID/SERIAL of this certificate");
	if (asked->valid_after >= asked->valid_before ||
	    asked->valid_before - asked->valid_after > CHECK_TTL_MAX ||
	    asked->valid_before > now + CHECK_TTL_MAX)
		return sbx_fail(why, SBX_REFUSED,
		    "the certificate would live longer than 24h");
	err = key_parse(asked->public_key, &key);
	if (err != SBX_OK)
		return sbx_fail(why, err, "public_key: %s", sbx_err_text(err));
	return SBX_OK;
}

enum sbx_err
signer_job(void *context, struct view request, struct buf *answer, int *ret_fd,
    struct sbx_why *why)
{
	const struct signer *signer = context;
	uint8_t nonce[BUILD_NONCE_LEN];
	struct asked asked;
	enum sbx_err err = read_request(request, &asked);

	(void)ret_fd;
	if (err != SBX_OK)
		return sbx_fail(
		    why, SBX_PROTOCOL, "malformed request to the signer");
	err = judge(&asked, signer->now(), why);
	if (err != SBX_OK)
		return err;
	randombytes_buf(nonce, sizeof(nonce));
	return cert_issue(
	    &(struct cert_request){
		.public_key = asked.public_key,
		.type = CERT_TYPE_USER,
		.principal = asked.principal,
		.key_id = asked.key_id,
		.serial = asked.serial,
		.valid_after = asked.valid_after,
		.valid_before = asked.valid_before,
		.permit = asked.permit,
		.single_use = asked.single_use,
		.source_address =
		    *asked.source_address == '\0' ? NULL : asked.source_address,
		.force_command =
		    *asked.force_command == '\0' ? NULL : asked.force_command,
	    },
	    nonce, CA_KEY(&signer->ca), answer, why);
}

enum sbx_err
signer_sign(int fd, const struct cert_request *request, struct buf *ret,
    struct sbx_why *why)
{
	cleanup_buf struct buf asked = BUF_INIT(HELPER_MESSAGE_MAX);
	const char *source = request->source_address;
	const char *command = request->force_command;

	buf_put_string(&asked, request->public_key);
	buf_put_cstring(&asked, request->principal);
	buf_put_cstring(&asked, request->key_id);
	buf_put_u64(&asked, request->serial);
	buf_put_u64(&asked, request->valid_after);
	buf_put_u64(&asked, request->valid_before);
	buf_put_u32(&asked, request->permit);
	buf_put_u8(&asked, request->single_use);
	buf_put_cstring(&asked, source == NULL ? "" : source);
	buf_put_cstring(&asked, command == NULL ? "" : command);
	if (buf_error(&asked) != SBX_OK)
		return buf_error(&asked);
	return helper_call(
	    fd, buf_view(&asked), SIGNER_TIMEOUT, ret, NULL, why);
}
