/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authkeys/line.h"
#include "certs/permit.h"

#define CA                                                         \
	" ssh-ed25519 "                                            \
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUW" \
	"FxgZGhscHR4f\n"
#define START "cert-authority,principals=\"run-1\",restrict"

static const struct row {
	const char *name;
	const char *id;
	unsigned permit;
	const char *want; /* NULL: poisoned */
} rows[] = {
	{ "nothing permitted", "run-1", 0, START CA },
	{ "pty", "run-1", PERMIT_PTY, START ",pty" CA },
	{ "the default", "run-1", PERMIT_DEFAULT,
	    START ",agent-forwarding,port-forwarding,pty" CA },
	{ "everything", "run-1", ~0U,
	    START ",X11-forwarding,agent-forwarding,port-forwarding,pty,"
		  "user-rc" CA },
	{ "id that ends the quotes", "a\",pty,principals=\"b", 0, NULL },
	{ "id with a comma", "a,b", 0, NULL },
	{ "empty id", "", 0, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_row(void **state)
{
	const struct row *row = *state;
	cleanup_buf struct buf line = BUF_INIT(LINE_MAX_LEN);
	uint8_t ca[KEY_ED25519_LEN];

	for (size_t i = 0; i < sizeof(ca); i++)
		ca[i] = (uint8_t)i;
	line_put(row->id, row->permit, ca, &line);
	if (row->want == NULL) {
		assert_int_equal(buf_error(&line), SBX_INTERNAL);
		return;
	}
	assert_int_equal(buf_error(&line), SBX_OK);
	assert_string_equal(buf_text(&line), row->want);
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
