/* SPDX-License-Identifier: ISC */
/*
 * What sshd asks of the login gate.  The input is taken as the three words
 * USER TYPE KEY, and as a blob that is put into them; a certificate in it is
 * judged once as it stands and once signed anew by a CA that is trusted, so
 * that a signature does not keep everything behind it out of reach.
 */
#include <string.h>

#include "authkeys/audit.h"
#include "authkeys/decide.h"
#include "authkeys/line.h"
#include "certs/keyfile.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1800000000

static struct keypair ca;
static struct gate_settings settings;

static void
prepare(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };

	if (settings.trusted.count > 0)
		return;
	(void)crypto_sign_seed_keypair(ca.public, ca.secret, seed);
	FUZZ_ASSERT(gate_settings_parse("f",
			"sandbox_id = run-1234\ntrusted_ca = /ca\n"
			"login_users = sandbox\nstate_dir = /state\n",
			&settings, NULL) == SBX_OK);
	FUZZ_ASSERT(text_copy(VIEW_STR(settings.sandbox_id), settings.id,
			sizeof(settings.id)) == SBX_OK);
	memcpy(settings.trusted.key[0], ca.public, KEY_ED25519_LEN);
	settings.trusted.count = 1;
}

/* Whatever stands in it, it is one line of the log. */
static void
check_audit(const struct audit *audit)
{
	cleanup_buf struct buf line = BUF_INIT(AUDIT_LINE_MAX);

	audit_put(audit, &line);
	FUZZ_ASSERT(buf_error(&line) == SBX_OK);
	for (size_t i = 0; i < line.len; i++)
		FUZZ_ASSERT(line.p[i] >= 0x20 && line.p[i] < 0x7f);
}

/* Nothing of a certificate is ever in the line for sshd. */
static void
check_line(const struct decision *decision)
{
	static const char start[] =
	    "cert-authority,principals=\"run-1234\",restrict";
	cleanup_buf struct buf line = BUF_INIT(LINE_MAX_LEN);

	line_put(settings.id, decision->permit, decision->ca, &line);
	FUZZ_ASSERT(buf_error(&line) == SBX_OK);
	FUZZ_ASSERT(memcmp(line.p, start, sizeof(start) - 1) == 0);
	FUZZ_ASSERT(memchr(line.p, '\n', line.len) == line.p + line.len - 1);
	FUZZ_ASSERT(decision->ca == settings.trusted.key[0]);
	FUZZ_ASSERT(decision->cert.serial != 0);
	FUZZ_ASSERT(decision->cert.type == CERT_TYPE_USER);
	FUZZ_ASSERT(decision->cert.valid_before > NOW);
}

static enum sbx_err
judge(const char *user, const char *type, const char *key)
{
	cleanup_request struct request request = { .user = NULL };
	struct decision decision = { .parsed = false };
	struct sbx_why why = { "" };
	struct audit audit = { .user = user, .sandbox_id = settings.id };
	enum sbx_err err = request_parse(user, type, key, &request, &why);

	if (err == SBX_OK && request.certificate)
		err = decide(&request, &settings, NOW, &decision, &why);
	if (err == SBX_OK && request.certificate)
		check_line(&decision);
	audit.err = err;
	audit.cert = decision.parsed ? &decision.cert : NULL;
	audit.detail = why.text;
	check_audit(&audit);
	return err;
}

static void
judge_blob(struct view blob)
{
	cleanup_buf struct buf text = BUF_INIT(REQUEST_KEY_MAX);
	struct wire w = wire_of(blob);
	struct view name = wire_string(&w, KEY_TYPE_MAX);
	char type[KEY_TYPE_MAX + 1];
	enum sbx_err err;

	text_base64_encode(blob, &text);
	if (wire_error(&w) != SBX_OK || buf_error(&text) != SBX_OK ||
	    text_copy(name, type, sizeof(type)) != SBX_OK)
		return;
	err = judge("sandbox", type, buf_text(&text));
	/* The words are right; only what they say can be wrong. */
	FUZZ_ASSERT(err != SBX_TYPE_MISMATCH && err != SBX_ENCODING);
}

/* The same, but for CA and signature: those are ours. */
static void
judge_signed(const struct cert *cert)
{
	cleanup_buf struct buf blob = BUF_INIT(2 * CERT_BLOB_MAX),
			       signer = BUF_INIT(256), inner = BUF_INIT(256);
	uint8_t signature[CERT_SIGNATURE_LEN];
	size_t before_ca = (size_t)(cert->ca.p - cert->blob.p) - 4;

	key_put_ed25519(ca.public, &signer);
	buf_put(&blob, cert->blob.p, before_ca);
	buf_put_string(&blob, buf_view(&signer));
	(void)crypto_sign_detached(
	    signature, NULL, blob.p, blob.len, ca.secret);
	buf_put_cstring(&inner, "ssh-ed25519");
	buf_put_string(&inner, VIEW(signature, sizeof(signature)));
	buf_put_string(&blob, buf_view(&inner));
	judge_blob(buf_view(&blob));
}

static void
judge_words(struct view input)
{
	struct buf words[3] = { BUF_INIT(65536), BUF_INIT(65536),
		BUF_INIT(65536) };
	size_t n = 0;

	for (size_t i = 0; i < input.len; i++) {
		if (input.p[i] == '\n' && n < 2)
			n++;
		else if (input.p[i] != '\0')
			buf_put_u8(&words[n], input.p[i]);
	}
	(void)judge(
	    buf_text(&words[0]), buf_text(&words[1]), buf_text(&words[2]));
	for (size_t i = 0; i < 3; i++)
		buf_free(&words[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct view input = VIEW(bytes, size);
	struct cert cert;

	prepare();
	judge_words(input);
	judge_blob(input);
	if (cert_parse(input, &cert) == SBX_OK)
		judge_signed(&cert);
	return 0;
}
