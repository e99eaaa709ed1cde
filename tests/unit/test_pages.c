/* SPDX-License-Identifier: ISC */
/*
 * The manual pages of configuration files say of every setting that there is
 * one, and its range as the table has it; those of programs are compared with
 * --help by tests/manlint.sh.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "authkeys/settings.h"
#include "broker/settings.h"
#include "common/file.h"
#include "net/settings.h"
#include "tests/unit/cases.h"

#define PAGE_MAX 65536

static const struct {
	const char *name;
	const struct conf_table *table;
} rows[] = {
	{ "sandbox-ssh_config.5", &settings_table },
	{ "sandboxd.conf.5", &broker_settings_table },
	{ "sandbox-authkeys.conf.5", &gate_settings_table },
};

/* Some item of that name has text in it. */
static bool
item_has(const char *page, const char *name, const char *text)
{
	char mark[64];
	const char *item = page;
	size_t len;

	len = (size_t)snprintf(mark, sizeof(mark), ".It Cm %s", name);
	while ((item = strstr(item, mark)) != NULL) {
		const char *end, *found = strstr(item, text);

		item += len;
		end = strstr(item, "\n.It");
		if ((*item == '\n' || *item == ' ') && found != NULL &&
		    (end == NULL || found < end))
			return true;
	}
	return false;
}

static void
test_page(void **state)
{
	const __typeof__(rows[0]) *row = *state;
	cleanup_buf struct buf page = BUF_INIT(PAGE_MAX);
	const char *srcdir = getenv("SRCDIR");
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/man/%s",
	    srcdir == NULL ? "." : srcdir, row->name);
	assert_int_equal(file_read(AT_FDCWD, path, &page, NULL), SBX_OK);
	for (size_t i = 0; i < row->table->count; i++) {
		const struct field *field = &row->table->keys[i].field;
		char range[FIELD_RANGE_LEN];

		field_put_range(field, range);
		if (!item_has(buf_text(&page), field->name, range))
			fail_msg("%s: %s: '%s'", path, field->name, range);
	}
}

int
main(void)
{
	CASE_ROWS(rows, test_page);
	return cases_run("pages");
}
