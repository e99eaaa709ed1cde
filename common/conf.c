/* SPDX-License-Identifier: ISC */
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
	/* Where we are: libinih cuts long names of sections. */
	char section[CONF_LINE_MAX];
	const struct conf_list *list; /* or NULL */
	void *element;		      /* of it */
	bool list_seen[CONF_KEYS_MAX];
	bool opened[CONF_KEYS_MAX][CONF_ELEMENTS_MAX]; /* by list */
	enum sbx_err err; /* the first error; reading ends with it */
	struct sbx_why why;
};

/* A key of the element that is open. */
static enum sbx_err
set_in_list(struct reading *r, const char *name, const char *value)
{
	for (size_t i = 0; i < r->list->count; i++) {
		const struct field *key = &r->list->keys[i];

		if (strcmp(key->name, name) != 0)
			continue;
		if (r->list_seen[i])
			return sbx_fail(
			    &r->why, SBX_CONFIG, "%s is set twice", name);
		r->list_seen[i] = true;
		return key->parse(key, value, r->element, &r->why);
	}
	return sbx_fail(&r->why, SBX_CONFIG, "unknown key '%.80s' in [%.80s]",
	    name, r->section);
}

static enum sbx_err
set(struct reading *r, const char *name, const char *value)
{
	const char *section = r->section;

	if (r->list != NULL)
		return set_in_list(r, name, value);
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

/* The element that bears this label; NULL if there is none. */
static char *
find_element(const struct conf_list *list, void *settings, const char *label)
{
	char *array = (char *)settings + list->offset;
	size_t used = *(size_t *)(void *)((char *)settings + list->used);

	for (size_t i = 0; i < used; i++) {
		char *element = array + i * list->size;

		if (strcmp(element + list->label.offset, label) == 0)
			return element;
	}
	return NULL;
}

static enum sbx_err
add_element(struct reading *r, const struct conf_list *list, const char *label,
    char **ret)
{
	size_t *used = (void *)((char *)r->settings + list->used);
	char *element = (char *)r->settings + list->offset + *used * list->size;
	enum sbx_err err;

	if (*used == list->max)
		return sbx_fail(&r->why, SBX_CONFIG,
		    "more than %zu sections [%s \"...\"]", list->max,
		    list->section);
	memset(element, 0, list->size);
	err = list->label.parse(&list->label, label, element, &r->why);
	for (size_t i = 0; i < list->count && err == SBX_OK; i++)
		err = field_defaults(&list->keys[i], element, &r->why);
	if (err != SBX_OK)
		return err;
	(*used)++;
	*ret = element;
	return SBX_OK;
}

/* [section "label"]: what follows goes into that label's element. */
static enum sbx_err
open_element(struct reading *r, size_t index, const char *label)
{
	const struct conf_list *list = &r->table->lists[index];
	char *element = find_element(list, r->settings, label);
	bool *opened;

	if (element == NULL) {
		enum sbx_err err = add_element(r, list, label, &element);

		if (err != SBX_OK)
			return err;
	}
	opened = &r->opened[index][(size_t)(element - (char *)r->settings -
				       list->offset) /
	    list->size];
	if (*opened)
		return sbx_fail(&r->why, SBX_CONFIG,
		    "section [%.80s] stands twice", r->section);
	*opened = true;
	memset(r->list_seen, 0, sizeof(r->list_seen));
	r->list = list;
	r->element = element;
	return SBX_OK;
}

/* The text between the quotes of: section "label"; false if it is not that. */
static bool
take_label(const char *name, const char *section, char *ret, size_t size)
{
	size_t len = strlen(section), total = strlen(name);

	if (strncmp(name, section, len) != 0 || total < len + 4 ||
	    name[len] != ' ' || name[len + 1] != '"' || name[total - 1] != '"')
		return false;
	return text_copy(VIEW(name + len + 2, total - len - 3), ret, size) ==
	    SBX_OK &&
	    strpbrk(ret, "\"\\") == NULL;
}

static enum sbx_err
check_section(struct reading *r, const char *line)
{
	size_t len = strcspn(line + 1, "]");
	char label[FIELD_TEXT];

	if (len == 0 || line[1 + len] == '\0' || line[2 + len] != '\0')
		return sbx_fail(&r->why, SBX_CONFIG,
		    "a section is a line [name] and nothing else");
	(void)snprintf(
	    r->section, sizeof(r->section), "%.*s", (int)len, line + 1);
	r->list = NULL;
	for (size_t i = 0; i < r->table->count; i++) {
		if (strcmp(r->section, r->table->keys[i].section) == 0)
			return SBX_OK;
	}
	for (size_t i = 0; i < r->table->list_count; i++) {
		if (take_label(r->section, r->table->lists[i].section, label,
			sizeof(label)))
			return open_element(r, i, label);
	}
	return sbx_fail(&r->why, SBX_CONFIG, "unknown section '%.80s'", line);
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
	struct reading r = { .table = table, .settings = settings };
	int result;

	if (table->count > CONF_KEYS_MAX || table->list_count > CONF_KEYS_MAX)
		return SBX_INTERNAL;
	for (size_t i = 0; i < table->list_count; i++) {
		if (table->lists[i].count > CONF_KEYS_MAX ||
		    table->lists[i].max > CONF_ELEMENTS_MAX)
			return SBX_INTERNAL;
	}
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

	/* Settings that cannot be read are as bad as those that are wrong. */
	if (err == SBX_UNREADABLE || err == SBX_TOO_LARGE)
		return SBX_CONFIG;
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
