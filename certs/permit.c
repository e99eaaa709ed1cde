/* SPDX-License-Identifier: ISC */
#include "certs/permit.h"

#include <string.h>

const struct permit_row permit_rows[] = {
	{ PERMIT_X11, "permit-X11-forwarding", "X11-forwarding" },
	{ PERMIT_AGENT, "permit-agent-forwarding", "agent-forwarding" },
	{ PERMIT_PORT, "permit-port-forwarding", "port-forwarding" },
	{ PERMIT_PTY, "permit-pty", "pty" },
	{ PERMIT_USER_RC, "permit-user-rc", "user-rc" },
};

const size_t permit_row_count = sizeof(permit_rows) / sizeof(permit_rows[0]);

#define SEPARATORS " \t,"

static unsigned
bit_of(struct view word)
{
	for (size_t i = 0; i < permit_row_count; i++) {
		if (view_eq_str(word, permit_rows[i].word))
			return permit_rows[i].bit;
	}
	return 0;
}

unsigned
permit_of_word(const char *word)
{
	return bit_of(VIEW_STR(word));
}

enum sbx_err
field_permit(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	const char *word = text + strspn(text, SEPARATORS);
	unsigned permit = 0;
	size_t len;

	if (strcmp(text, "none") == 0)
		word += strlen(word);
	else if (*word == '\0')
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s is empty: write none to permit nothing", field->name);
	for (; *word != '\0'; word += len, word += strspn(word, SEPARATORS)) {
		unsigned bit;

		len = strcspn(word, SEPARATORS);
		bit = bit_of(VIEW(word, len));
		if (bit == 0)
			return sbx_fail(why, SBX_BAD_VALUE,
			    "%s: '%.*s' is none of X11-forwarding, "
			    "agent-forwarding, port-forwarding, pty, user-rc",
			    field->name, len > 80 ? 80 : (int)len, word);
		permit |= bit;
	}
	*(unsigned *)((char *)object + field->offset) = permit;
	return SBX_OK;
}
