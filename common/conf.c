#include "common/conf.h"

#include <ini.h>
#include <string.h>

struct reading {
	const struct conf_table *table;
	void *settings;
	bool seen[CONF_KEYS_MAX];
	struct sbx_why why; /* of the first error */
	enum sbx_err err;
};

static enum sbx_err
set(struct reading *r, const char *section, const char *name, const char *value)
{
	for (size_t i = 0; i < r->table->count; i++) {
		const struct conf_key *key = &r->table->keys[i];

		if (strcmp(key->section, section) != 0 ||
		    strcmp(key->field.name, name) != 0)
			continue;
		if (r->seen[i])
			return sbx_fail(
			    &r->why, SBX_CONFIG, "%s is set twice", name);
		r->seen[i] = true;
		return key->field.parse(
		    &key->field, value, r->settings, &r->why);
	}
	return sbx_fail(&r->why, SBX_CONFIG, "unknown key '%.80s'%s%.80s%s",
	    name, *section == '\0' ? "" : " in [", section,
	    *section == '\0' ? "" : "]");
}

/* libinih's callback: 0 makes this line the error of ini_parse_string. */
static int
on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;

	if (r->err == SBX_OK)
		r->err = set(r, section, name, value);
	return r->err == SBX_OK;
}

enum sbx_err
conf_parse(const struct conf_table *table, const char *name, const char *text,
    void *settings, struct sbx_why *why)
{
	struct reading r = { .table = table, .settings = settings };
	int line;

	if (table->count > CONF_KEYS_MAX)
		return SBX_INTERNAL;
	line = ini_parse_string(text, on_pair, &r);
	if (line > 0)
		return sbx_fail(why, SBX_CONFIG, "%s:%d: %s", name, line,
		    r.err == SBX_OK ? "neither [section] nor key = value, or "
				      "longer than 200 bytes"
				    : r.why.text);
	return line < 0 ? SBX_NOMEM : SBX_OK;
}

enum sbx_err
conf_read(const struct conf_table *table, const char *path, uid_t owner,
    mode_t forbidden, void *settings, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(CONF_FILE_MAX);
	enum sbx_err err =
	    file_read_trusted(path, owner, forbidden, &text, why);

	if (err != SBX_OK)
		return err;
	if (memchr(buf_text(&text), '\0', text.len) != NULL)
		return sbx_fail(why, SBX_CONFIG, "%s: holds a NUL byte", path);
	return conf_parse(table, path, buf_text(&text), settings, why);
}

enum sbx_err
conf_defaults(
    const struct conf_table *table, void *settings, struct sbx_why *why)
{
	for (size_t i = 0; i < table->count; i++) {
		enum sbx_err err =
		    field_defaults(&table->keys[i].field, settings, why);

		if (err != SBX_OK)
			return err;
	}
	return SBX_OK;
}
