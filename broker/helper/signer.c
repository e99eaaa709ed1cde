/* SPDX-License-Identifier: ISC */
#include "broker/helper/signer.h"

#include <inttypes.h>
#include <string.h>

#include "certs/check.h"
#include "common/cleanup.h"
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

static enum sbx_err
sign_one(const struct signer *signer, struct view request, struct buf *blob,
    struct sbx_why *why)
{
	uint8_t nonce[BUILD_NONCE_LEN];
	struct asked asked;
	enum sbx_err err = read_request(request, &asked);

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
	    nonce, CA_KEY(&signer->ca), blob, why);
}

/* One after the other: u32 how many, each a string; err, why and blob back. */
enum sbx_err
signer_job(void *context, struct view request, struct buf *answer, int *ret_fd,
    struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	struct view one[SIGNER_AT_ONCE];
	struct wire w = wire_of(request);
	uint32_t count = wire_u32(&w);

	(void)ret_fd;
	if (count == 0 || count > SIGNER_AT_ONCE)
		wire_fail(&w, SBX_TOO_LARGE);
	for (uint32_t i = 0; i < count && wire_error(&w) == SBX_OK; i++)
		one[i] = wire_string(&w, HELPER_MESSAGE_MAX);
	if (wire_end(&w) != SBX_OK)
		return sbx_fail(
		    why, SBX_PROTOCOL, "malformed request to the signer");
	for (uint32_t i = 0; i < count; i++) {
		struct sbx_why its = { "" };

		buf_reset(&blob);
		buf_put_u32(answer, sign_one(context, one[i], &blob, &its));
		buf_put_cstring(answer, its.text);
		buf_put_string(answer, buf_view(&blob));
	}
	return buf_error(answer);
}

/*
 * In http.
 */

/* What a certificate has beyond what was asked for: keys, names, signature. */
#define BEYOND 1024

struct signing {
	struct gather_part part;
	struct buf asked;
	struct buf *ret;
	enum sbx_err err;
	struct sbx_why why;
};

static struct signing *
signing_of(struct gather_part *part)
{
	return (struct signing *)part;
}

void
signer_line_init(struct signer_line *line, int fd)
{
	line->fd = fd;
	gather_init(&line->callers);
}

/* How many of these fit into one request, and their answers into one. */
static uint32_t
count_fitting(struct gather_part *first)
{
	size_t room = HELPER_MESSAGE_MAX - BEYOND;
	uint32_t count = 0;

	for (; first != NULL && count < SIGNER_AT_ONCE; first = first->next) {
		size_t size = signing_of(first)->asked.len + BEYOND;

		if (count > 0 && size > room)
			break;
		room -= size < room ? size : room;
		count++;
	}
	return count;
}

static void
take_signed(struct wire *w, struct signing *s)
{
	uint32_t err = wire_u32(w);
	struct view text = wire_string(w, SBX_WHY_MAX - 1);
	struct view blob = wire_string(w, CERT_BLOB_MAX);

	if (wire_error(w) != SBX_OK || err >= SBX_ERR_COUNT)
		wire_fail(w, SBX_BAD_VALUE);
	else if (err != SBX_OK)
		s->err = sbx_fail(&s->why, (enum sbx_err)err, "%.*s",
		    (int)text.len, (const char *)text.p);
	else {
		buf_put_view(s->ret, blob);
		s->err = buf_error(s->ret);
	}
}

/* Returns the first of those that did not fit. */
static struct gather_part *
sign_some(struct signer_line *line, struct gather_part *first)
{
	cleanup_buf struct buf request = BUF_INIT(HELPER_MESSAGE_MAX);
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	uint32_t count = count_fitting(first);
	struct gather_part *part = first;
	struct sbx_why why = { "" };
	enum sbx_err err;
	struct wire w;

	buf_put_u32(&request, count);
	for (uint32_t i = 0; i < count; i++, part = part->next)
		buf_put_string(&request, buf_view(&signing_of(part)->asked));
	err = buf_error(&request);
	if (err == SBX_OK)
		err = helper_call(line->fd, buf_view(&request), SIGNER_TIMEOUT,
		    &answer, NULL, &why);
	w = wire_of(buf_view(&answer));
	part = first;
	for (uint32_t i = 0; i < count; i++, part = part->next) {
		struct signing *s = signing_of(part);

		if (err == SBX_OK)
			take_signed(&w, s);
		if (err == SBX_OK && wire_error(&w) != SBX_OK)
			err = sbx_fail(&why, SBX_PROTOCOL,
			    "malformed answer of the signer");
		if (err != SBX_OK)
			s->err = sbx_fail(&s->why, err, "%s", why.text);
	}
	return part;
}

static void
sign_all(void *context, struct gather_part *first)
{
	while (first != NULL)
		first = sign_some(context, first);
}

static void
put_request(const struct cert_request *request, struct buf *ret)
{
	const char *source = request->source_address;
	const char *command = request->force_command;

	buf_put_string(ret, request->public_key);
	buf_put_cstring(ret, request->principal);
	buf_put_cstring(ret, request->key_id);
	buf_put_u64(ret, request->serial);
	buf_put_u64(ret, request->valid_after);
	buf_put_u64(ret, request->valid_before);
	buf_put_u32(ret, request->permit);
	buf_put_u8(ret, request->single_use);
	buf_put_cstring(ret, source == NULL ? "" : source);
	buf_put_cstring(ret, command == NULL ? "" : command);
}

enum sbx_err
signer_sign(struct signer_line *line, const struct cert_request *request,
    struct buf *ret, struct sbx_why *why)
{
	struct signing s = { .asked = BUF_INIT(HELPER_MESSAGE_MAX / 2),
		.ret = ret };
	enum sbx_err err;

	put_request(request, &s.asked);
	err = buf_error(&s.asked);
	if (err == SBX_OK) {
		gather_do(&line->callers, &s.part, sign_all, line);
		err = s.err;
	}
	buf_free(&s.asked);
	return err != SBX_OK ? sbx_fail(why, err, "%s", s.why.text) : SBX_OK;
}
