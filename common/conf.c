#include "common/conf.h"

#include <ini.h>
#include <string.h>

#include "common/text.h"

/*
 * libinih is lenient: it cuts long lines and goes on with the rest as if it
 * were a line, takes an indented line for more of the value above, drops
 * what follows "]" or " ;", and shortens long section names.  So it is fed
 * line by line, and only lines that have one meaning reach it.
 */
struct reading {
	const struct conf_table *table;
	void *settings;
	struct view rest; /* lines not read yet */
	int line;	  /* number of the last one */
	bool seen[CONF_KEYS_MAX];
	/* of the keys to come, as in the table: "" stands for any name */
	const char *section;
	enum sbx_err err; /* the first error; reading ends with it */
	struct sbx_why why;
};

static enum sbx_err
set(struct reading *r, const char *name, const char *value)
{
	const char *section = r->section;

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

/* libinih's callback for one "key = value". */
static int
on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;

	/* check_section() has seen it whole; libinih cuts long ones. */
	(void)section;
	if (r->err == SBX_OK)
		r->err = set(r, name, value);
	return r->err == SBX_OK;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_comment(struct view line)
{
	size_t i = 0;

	while (i < line.len && is_blank((char)line.p[i]))
		i++;
	return i < line.len && (line.p[i] == '#' || line.p[i] == ';');
}

/* Is text, what stands between the brackets, name "WORD" for this row? */
static bool
takes_word(const struct conf_key *key, struct view text, struct view *ret_word)
{
	const char *quotes = strstr(key->section, CONF_NAMED(""));
	size_t len = quotes == NULL ? 0 : (size_t)(quotes - key->section);

	if (quotes == NULL || text.len < len + 3 ||
	    memcmp(text.p, key->section, len) != 0 || text.p[len] != ' ' ||
	    text.p[len + 1] != '"' || text.p[text.len - 1] != '"')
		return false;
	*ret_word = VIEW(text.p + len + 2, text.len - len - 3);
	return true;
}

/* [name "WORD"]: from here on its keys may be set once more. */
static enum sbx_err
check_named(struct reading *r, struct view text)
{
	enum sbx_err err = SBX_NOT_FOUND;
	char word[CONF_LINE_MAX];
	struct view name;

	for (size_t i = 0; i < r->table->count; i++) {
		const struct conf_key *key = &r->table->keys[i];

		if (!takes_word(key, text, &name))
			continue;
		r->section = key->section;
		r->seen[i] = false;
		if (*key->field.name != '\0')
			continue;
		err = text_copy(name, word, sizeof(word));
		if (err == SBX_OK)
			err = key->field.parse(
			    &key->field, word, r->settings, &r->why);
		if (err != SBX_OK)
			return err;
	}
	return err == SBX_OK
	    ? SBX_OK
	    : sbx_fail(&r->why, SBX_CONFIG, "unknown section '[%.*s]'",
		  (int)text.len, (const char *)text.p);
}

static enum sbx_err
check_section(struct reading *r, const char *line)
{
	size_t len = strcspn(line + 1, "]");

	if (len == 0 || line[1 + len] == '\0' || line[2 + len] != '\0')
		return sbx_fail(&r->why, SBX_CONFIG,
		    "a section is a line [name] and nothing else");
	for (size_t i = 0; i < r->table->count; i++) {
		const char *section = r->table->keys[i].section;

		if (view_eq_str(VIEW(line + 1, len), section) &&
		    strchr(section, '"') == NULL) {
			r->section = section;
			return SBX_OK;
		}
	}
	return check_named(r, VIEW(line + 1, len));
}

static enum sbx_err
check_pair(struct reading *r, const char *line)
{
	if (line[strcspn(line, "=:")] != '=' || *line == '=')
		return sbx_fail(&r->why, SBX_CONFIG,
		    "'%.80s' is neither [section] nor key = value", line);
	for (const char *c = line + 1; *c != '\0'; c++) {
		if ((*c == ';' || *c == '#') && is_blank(c[-1]))
			return sbx_fail(&r->why, SBX_CONFIG,
			    "'%.80s': put the comment on a line of its own", c);
	}
	return SBX_OK;
}

/* One line without its end, which is not blank and no comment. */
static enum sbx_err
check_line(struct reading *r, const char *line)
{
	for (const char *c = line; *c != '\0'; c++) {
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return sbx_fail(&r->why, SBX_CONFIG,
			    "'%.80s' holds a control character", line);
	}
	if (is_blank(*line))
		return sbx_fail(&r->why, SBX_CONFIG,
		    "'%.80s' is indented: a value is one line, and a line "
		    "starts with its key",
		    line);
	return *line == '[' ? check_section(r, line) : check_pair(r, line);
}

/*
 * libinih's source of lines, like fgets(3).  Comments and blank lines stay
 * here, so libinih's own count of lines means nothing.
 */
static char *
next_line(char *ret, int size, void *stream)
{
	struct reading *r = stream;
	struct view line;

	while (r->err == SBX_OK && text_next_line(&r->rest, &line)) {
		r->line++;
		while (line.len > 0 &&
		    strchr(" \t\r", line.p[line.len - 1]) != NULL)
			line.len--;
		if (line.len == 0 || is_comment(line))
			continue;
		if (text_copy(line, ret, (size_t)size) == SBX_OK)
			r->err = check_line(r, ret);
		else
			r->err = sbx_fail(&r->why, SBX_CONFIG,
			    "line is longer than %d bytes", size - 1);
		return r->err == SBX_OK ? ret : NULL;
	}
	return NULL;
}

enum sbx_err
conf_parse(const struct conf_table *table, const char *name, const char *text,
    void *settings, struct sbx_why *why)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct reading r = {
		.table = table, .settings = settings, .section = ""
	};
	int result;

	if (table->count > CONF_KEYS_MAX)
		return SBX_INTERNAL;
	if (strncmp(text, bom, strlen(bom)) == 0)
		text += strlen(bom);
	r.rest = VIEW_STR(text);
#if HAVE_DECL_INI_MAX_LINE
	ini_max_line = CONF_LINE_MAX; /* 200 otherwise */
#endif
	result = ini_parse_stream(next_line, &r, on_pair, &r);
	if (r.err != SBX_OK)
		return sbx_fail(why, SBX_CONFIG, "%s:%d: %s", name, r.line,
		    sbx_why_text(&r.why, r.err));
	if (result < 0)
		return SBX_NOMEM;
	/* Not reached: whatever libinih refuses was refused above. */
	return result == 0
	    ? SBX_OK
	    : sbx_fail(why, SBX_CONFIG, "%s: not a configuration file", name);
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
