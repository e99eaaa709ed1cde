/* SPDX-License-Identifier: ISC */
#include "certs/cmd/print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "certs/json.h"
#include "certs/permit.h"

#define INDENT "                "
#define FOREVER UINT64_MAX

/* How the data of an option reads. */
enum shape { SHAPE_OPAQUE, SHAPE_FLAG, SHAPE_STRING };

static const struct {
	const char *name;
	enum shape shape;
} critical_shapes[] = {
	{ CERT_OPT_FORCE_COMMAND, SHAPE_STRING },
	{ CERT_OPT_SOURCE_ADDRESS, SHAPE_STRING },
	{ CERT_OPT_VERIFY_REQUIRED, SHAPE_FLAG },
};

#define CRITICAL_SHAPES (sizeof(critical_shapes) / sizeof(critical_shapes[0]))

/* Those that ssh-keygen knows: our own single-use is opaque to it. */
static enum shape
shape_of(const struct cert_option *option, bool critical)
{
	for (size_t i = 0; critical && i < CRITICAL_SHAPES; i++) {
		if (view_eq_str(option->name, critical_shapes[i].name))
			return critical_shapes[i].shape;
	}
	for (size_t i = 0; !critical && i < permit_row_count; i++) {
		if (view_eq_str(option->name, permit_rows[i].extension))
			return SHAPE_FLAG;
	}
	return !critical && view_eq_str(option->name, "no-touch-required")
	    ? SHAPE_FLAG
	    : SHAPE_OPAQUE;
}

static enum sbx_err
take_string(struct view data, struct view *ret)
{
	struct wire w = wire_of(data);

	*ret = wire_string(&w, CERT_OPTIONS_MAX);
	return wire_end(&w);
}

static void
put_hex(struct view bytes, struct buf *ret)
{
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(ret, "%02x", bytes.p[i]);
}

/* Not text_escape: ssh-keygen leaves the backslash alone. */
static void
put_visible(struct view text, struct buf *ret)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] >= 0x20 && text.p[i] < 0x7f)
			buf_put_u8(ret, text.p[i]);
		else
			buf_printf(ret, "\\x%02x", text.p[i]);
	}
}

static void
put_time(uint64_t when, struct buf *ret)
{
	time_t t = when > INT64_MAX ? INT64_MAX : (time_t)when;
	char text[64];
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) > 0)
		buf_put_text(ret, text);
	else
		buf_printf(ret, "%" PRIu64, when);
}

static void
put_validity(const struct cert *cert, struct buf *ret)
{
	bool starts = cert->valid_after != 0;
	bool ends = cert->valid_before != FOREVER;

	if (!starts && !ends) {
		buf_put_text(ret, "forever");
		return;
	}
	if (starts) {
		buf_put_text(ret, ends ? "from " : "after ");
		put_time(cert->valid_after, ret);
	}
	if (ends) {
		buf_put_text(ret, starts ? " to " : "before ");
		put_time(cert->valid_before, ret);
	}
}

static void
put_option_text(
    const struct cert_option *option, bool critical, struct buf *ret)
{
	enum shape shape = shape_of(option, critical);
	struct view value;

	buf_put_text(ret, INDENT);
	put_visible(option->name, ret);
	if (shape == SHAPE_STRING &&
	    take_string(option->data, &value) == SBX_OK) {
		buf_put_text(ret, " ");
		put_visible(value, ret);
	} else if (option->data.len > 0) {
		buf_put_text(ret, " UNKNOWN OPTION: ");
		put_hex(option->data, ret);
		buf_printf(ret, " (len %zu)", option->data.len);
	} else if (shape != SHAPE_FLAG) {
		buf_put_text(ret, " UNKNOWN FLAG OPTION");
	}
	buf_put_text(ret, "\n");
}

static void
put_options_text(
    const char *title, struct view block, bool critical, struct buf *ret)
{
	struct cert_option option;

	buf_printf(
	    ret, "        %s: %s\n", title, block.len == 0 ? "(none)" : "");
	while (cert_next_option(&block, &option))
		put_option_text(&option, critical, ret);
}

static void
put_principals_text(const struct cert *cert, struct buf *ret)
{
	struct view cursor = cert->principals, principal;

	buf_printf(ret, "        Principals: %s\n",
	    cert->principal_count == 0 ? "(none)" : "");
	while (cert_next_principal(&cursor, &principal)) {
		buf_put_text(ret, INDENT);
		put_visible(principal, ret);
		buf_put_text(ret, "\n");
	}
}

/* Both keys' fingerprints, and the CA taken apart. */
struct keys {
	struct public_key ca;
	char ca_fingerprint[KEY_FINGERPRINT_LEN];
	char fingerprint[KEY_FINGERPRINT_LEN];
};

static enum sbx_err
find_keys(const struct cert *cert, struct keys *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
	enum sbx_err err = key_parse(cert->ca, &ret->ca);

	cert_put_public_key(cert, &blob);
	if (err == SBX_OK)
		err = buf_error(&blob);
	if (err != SBX_OK)
		return err;
	key_fingerprint(cert->ca, ret->ca_fingerprint);
	key_fingerprint(buf_view(&blob), ret->fingerprint);
	return SBX_OK;
}

static const char *
type_word(const struct cert *cert)
{
	switch (cert->type) {
	case CERT_TYPE_USER:
		return "user";
	case CERT_TYPE_HOST:
		return "host";
	default:
		return "unknown";
	}
}

enum sbx_err
print_text(const struct cert *cert, struct buf *ret)
{
	struct keys keys;
	enum sbx_err err = find_keys(cert, &keys);

	if (err != SBX_OK)
		return err;
	buf_printf(ret, "        Type: %s %s certificate\n",
	    cert->kind->cert_name, type_word(cert));
	buf_printf(ret, "        Public key: %s-CERT %s\n", cert->kind->label,
	    keys.fingerprint);
	buf_printf(ret, "        Signing CA: %s %s (using ",
	    keys.ca.kind->label, keys.ca_fingerprint);
	put_visible(cert->signature_type, ret);
	buf_put_text(ret, ")\n        Key ID: \"");
	put_visible(cert->key_id, ret);
	buf_printf(ret,
	    "\"\n        Serial: %" PRIu64 "\n        Valid: ", cert->serial);
	put_validity(cert, ret);
	buf_put_text(ret, "\n");
	put_principals_text(cert, ret);
	put_options_text("Critical Options", cert->critical, true, ret);
	put_options_text("Extensions", cert->extensions, false, ret);
	return buf_error(ret);
}

static void
put_options_json(
    const char *member, struct view block, bool critical, struct buf *ret)
{
	struct cert_option option;
	struct view value;
	const char *comma = "";

	buf_printf(ret, ",\"%s\":[", member);
	for (; cert_next_option(&block, &option); comma = ",") {
		buf_printf(ret, "%s{\"name\":", comma);
		json_put_string(ret, option.name);
		if (shape_of(&option, critical) == SHAPE_STRING &&
		    take_string(option.data, &value) == SBX_OK) {
			buf_put_text(ret, ",\"value\":");
			json_put_string(ret, value);
		} else if (option.data.len > 0) {
			buf_put_text(ret, ",\"data\":\"");
			put_hex(option.data, ret);
			buf_put_text(ret, "\"");
		}
		buf_put_text(ret, "}");
	}
	buf_put_text(ret, "]");
}

static void
put_principals_json(const struct cert *cert, struct buf *ret)
{
	struct view cursor = cert->principals, principal;
	const char *comma = "";

	buf_put_text(ret, ",\"principals\":[");
	for (; cert_next_principal(&cursor, &principal); comma = ",") {
		buf_put_text(ret, comma);
		json_put_string(ret, principal);
	}
	buf_put_text(ret, "]");
}

enum sbx_err
print_json(const struct cert *cert, struct buf *ret)
{
	struct keys keys;
	enum sbx_err err = find_keys(cert, &keys);

	if (err != SBX_OK)
		return err;
	buf_printf(ret,
	    "{\"type\":\"%s\",\"kind\":\"%s\",\"public_key\":\"%s\""
	    ",\"ca\":{\"type\":\"%s\",\"fingerprint\":\"%s\","
	    "\"signature_type\":",
	    cert->kind->cert_name, type_word(cert), keys.fingerprint,
	    keys.ca.kind->name, keys.ca_fingerprint);
	json_put_string(ret, cert->signature_type);
	buf_put_text(ret, "},\"key_id\":");
	json_put_string(ret, cert->key_id);
	/* A JSON number keeps 53 bits: a serial is a string, for ever is null.
	 */
	buf_printf(ret,
	    ",\"serial\":\"%016" PRIx64 "\",\"valid_after\":%" PRIu64
	    ",\"valid_before\":",
	    cert->serial, cert->valid_after);
	if (cert->valid_before == FOREVER)
		buf_put_text(ret, "null");
	else
		buf_printf(ret, "%" PRIu64, cert->valid_before);
	put_principals_json(cert, ret);
	put_options_json("critical_options", cert->critical, true, ret);
	put_options_json("extensions", cert->extensions, false, ret);
	buf_put_text(ret, "}\n");
	return buf_error(ret);
}
