#include "certs/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certs/operand.h"
#include "certs/revlist.h"
#include "certs/revtext.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

/* A serial takes 16 bytes in the list, and 42 in its longest form here. */
#define OUTPUT_MAX (3 * REVLIST_MAX)

struct options {
	bool json;
};

static const struct opt rows[] = {
	{ 0, NULL,
	    { .name = "json",
		.parse = field_bool,
		.offset = offsetof(struct options, json),
		.help = "print a JSON object" } },
};

static const struct usage usage = {
	.program = "sandbox-cert revocations show",
	.args = "[options] FILE",
	.summary = "Check a revocation list and print it, as 'sign --from' "
		   "reads it",
	.options = rows,
	.option_count = sizeof(rows) / sizeof(rows[0]),
};

static void
put_time(const char *title, uint64_t when, struct buf *ret)
{
	time_t t = when > INT64_MAX ? INT64_MAX : (time_t)when;
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(text, sizeof(text), "%" PRIu64, when);
	buf_printf(ret, "# %s %s\n", title, text);
}

static void
put_signer(const struct revocations *head, struct buf *ret)
{
	cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);

	key_put_ed25519(head->signer, &blob);
	key_put_line(buf_view(&blob), NULL, ret);
}

static void
put_text(
    const struct revocations *head, const struct revset *set, struct buf *ret)
{
	buf_put_text(ret, "# signed by ");
	put_signer(head, ret);
	buf_put_text(ret, "\n");
	put_time("issued at", head->issued_at, ret);
	put_time("next update", head->next_update, ret);
	revtext_put(set, ret);
}

static void
put_json(
    const struct revocations *head, const struct revset *set, struct buf *ret)
{
	buf_put_text(ret, "{\"signer\":\"");
	put_signer(head, ret);
	buf_printf(ret,
	    "\",\"issued_at\":%" PRIu64 ",\"next_update\":%" PRIu64 ",",
	    head->issued_at, head->next_update);
	revtext_put_json(set, ret);
	buf_put_text(ret, "}\n");
}

static enum sbx_err
load(const char *operand, struct revset *ret, struct revocations *ret_head,
    struct sbx_why *why)
{
	cleanup_close int opened = -1;
	struct sbx_why inner = { "" };
	int fd = STDIN_FILENO;
	enum sbx_err err;

	if (!operand_is_stdin(operand))
		fd = opened =
		    open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return sbx_fail(why, errno == ENOENT ? SBX_NOT_FOUND : SBX_IO,
		    "cannot open %s: %s", operand, strerror(errno));
	err = revlist_load(fd, ret, ret_head, &inner);
	if (err == SBX_OK)
		return revset_sort(ret);
	return sbx_fail(why, err, "%s: %s", operand_name(operand),
	    sbx_why_text(&inner, err));
}

static enum sbx_err
run(const struct options *options, const char *operand, struct sbx_why *why)
{
	cleanup_buf struct buf out = BUF_INIT(OUTPUT_MAX);
	cleanup_revset struct revset set;
	struct revocations head;
	enum sbx_err err;

	revset_init(&set);
	err = load(operand, &set, &head, why);
	if (err != SBX_OK)
		return err;
	if (options->json)
		put_json(&head, &set, &out);
	else
		put_text(&head, &set, &out);
	if (buf_error(&out) != SBX_OK)
		return buf_error(&out);
	if (file_write_fd(STDOUT_FILENO, buf_view(&out)) != SBX_OK)
		return sbx_fail(
		    why, SBX_IO, "cannot write: %s", strerror(errno));
	return SBX_OK;
}

int
cmd_revocations_show(int argc, char **argv)
{
	struct options options = { 0 };
	struct sbx_why why = { "" };
	const char *operand;
	enum sbx_err err;

	switch (operand_parse(&usage, argc, argv, &options, &operand)) {
	case OPT_DONE:
		return EX_OK;
	case OPT_WRONG:
		return EX_USAGE;
	case OPT_RUN:
		break;
	}
	err = run(&options, operand, &why);
	return err == SBX_OK ? EX_OK : log_failure(err, &why);
}
