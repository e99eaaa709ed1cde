/* SPDX-License-Identifier: ISC */
#include "certs/cmd/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "certs/cmd/operand.h"
#include "certs/revlist.h"
#include "certs/revtext.h"
#include "certs/cmd/verb.h"
#include "common/cleanup.h"
#include "common/file.h"

/* A serial takes 16 bytes in the list, and 42 in its longest form here. */
#define OUTPUT_MAX (3 * REVLIST_MAX)

struct options {
	bool json;
};

static const struct opt rows[] = {
	VERB_ROW(
	    0, NULL, "json", field_bool, json, .help = "print a JSON object"),
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

/* The rest need not be read to say that it is none. */
static bool
begins_a_list(const uint8_t *bytes, size_t len)
{
	const size_t magic = sizeof(REVOCATIONS_MAGIC);

	return memcmp(bytes, REVOCATIONS_MAGIC, len < magic ? len : magic) == 0;
}

/* A list is looked up here and there; what comes by a pipe is kept for that. */
static enum sbx_err
keep(int from, int *ret_fd, struct sbx_why *why)
{
	cleanup_close int fd = memfd_create("list", MFD_CLOEXEC);
	uint8_t bytes[65536];
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return sbx_fail(why, SBX_NOMEM, "cannot keep the list: %s",
		    strerror(errno));
	while ((n = read(from, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sbx_fail(why, SBX_UNREADABLE, "cannot read: %s",
			    strerror(errno));
		if (len == 0 && !begins_a_list(bytes, (size_t)n))
			break;
		len += (size_t)n;
		if (len > REVLIST_MAX)
			return sbx_fail(why, SBX_TOO_LARGE,
			    "more than %zu bytes", (size_t)REVLIST_MAX);
		if (file_write_fd(fd, VIEW(bytes, (size_t)n)) != SBX_OK)
			return sbx_fail(why, SBX_NOMEM,
			    "cannot keep the list: %s", strerror(errno));
	}
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}

static bool
is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static enum sbx_err
load(const char *operand, struct revset *ret, struct revocations *ret_head,
    struct sbx_why *why)
{
	cleanup_close int opened = -1;
	struct sbx_why inner = { "" };
	cleanup_close int kept = -1;
	int fd = STDIN_FILENO;
	enum sbx_err err = SBX_OK;

	if (!operand_is_stdin(operand))
		fd = opened = open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return sbx_fail(why, SBX_UNREADABLE, "cannot open %s: %s",
		    operand, strerror(errno));
	if (!is_file(fd)) {
		err = keep(fd, &kept, &inner);
		fd = kept;
	}
	if (err == SBX_OK)
		err = revlist_load(fd, ret, ret_head, &inner);
	if (err == SBX_OK)
		return revset_sort(ret);
	return sbx_fail(why, err, "%s: %s", operand_name(operand),
	    sbx_why_text(&inner, err));
}

static enum sbx_err
run(void *values, char *const operands[], struct sbx_why *why)
{
	const struct options *options = values;
	const char *operand = operands[0];
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
	return operand_write("-", &out, "cannot write", why);
}

int
cmd_revocations_show(int argc, char **argv)
{
	static const struct verb verb = { &usage, VERB_ONE_FILE, run, NULL };
	struct options options = { 0 };

	return verb_run(&verb, argc, argv, &options);
}
