/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/box.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

#define SMALL_FILE_MAX 256
#define ROOT_FROM "root_from"
#define NETWORK "network"

const struct box_folder box_folders[BOX_FOLDERS] = {
	{ BOX_GATE, 0700, LOCAL_UID_AUTHKEYS },
	{ BOX_REPORT, 0755, LOCAL_UID_AUTHKEYS },
};

const char *const box_trees[] = { BOX_HOME, BOX_HOME_NEW, BOX_WORKSPACE,
	BOX_GATE, BOX_REPORT, BOX_ROOT, NULL };

static const char *const isolation_line[ISOLATION_COUNT] = {
	[ISOLATION_NONE] = "none\n",
	[ISOLATION_NAMESPACES] = "namespaces\n",
};

static enum sbx_err
open_state(const char *state, const char *name, bool make, int *ret,
    struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err = paths_join(state, name, path);

	if (err == SBX_OK && make)
		err = file_mkdirs(path, 0700, why);
	return err != SBX_OK ? err : file_open_dir(AT_FDCWD, path, ret, why);
}

enum sbx_err
shelf_open(const struct provider_context *context, bool make, struct shelf *ret,
    struct sbx_why *why)
{
	cleanup_shelf struct shelf shelf = SHELF_INIT;
	enum sbx_err err = open_state(
	    context->state_dir, "sandboxes", make, &shelf.boxes, why);

	if (err == SBX_OK)
		err = open_state(
		    context->state_dir, "slots", make, &shelf.slots, why);
	if (err != SBX_OK)
		return err;
	*ret = shelf;
	shelf = SHELF_INIT;
	return SBX_OK;
}

void
shelf_close(struct shelf *shelf)
{
	cleanup_close_fn(&shelf->boxes);
	cleanup_close_fn(&shelf->slots);
}

/* The numbers of a one-line file, after skip words. */
static enum sbx_err
read_numbers(int dir, const char *name, size_t skip, uint64_t *ret,
    size_t count, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(SMALL_FILE_MAX);
	enum sbx_err err = file_read(dir, name, &text, why);
	struct view word, line = VIEW(NULL, 0), cursor = buf_view(&text);
	char number[24];
	bool ok;

	if (err != SBX_OK)
		return err;
	ok = text_next_line(&cursor, &line);
	for (size_t i = 0; ok && i < skip; i++)
		ok = text_next_word(&line, &word);
	for (size_t i = 0; ok && i < count; i++)
		ok = text_next_word(&line, &word) &&
		    text_copy(word, number, sizeof(number)) == SBX_OK &&
		    text_uint(number, 0, UINT64_MAX, &ret[i]) == SBX_OK;
	return ok
	    ? SBX_OK
	    : sbx_fail(why, SBX_IO, "the sandbox's file '%s' is damaged", name);
}

enum sbx_err
box_read_slice(int dir, struct local_slice *ret, struct sbx_why *why)
{
	uint64_t n[3];
	enum sbx_err err = read_numbers(dir, "slot", 0, n, 3, why);

	if (err == SBX_OK)
		*ret = (struct local_slice){ n[0], n[1], n[2] };
	return err;
}

static enum sbx_err
read_isolation(int dir, enum isolation *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(SMALL_FILE_MAX);
	enum sbx_err err = file_read(dir, "isolation", &text, why);

	if (err != SBX_OK)
		return err;
	for (int i = 0; i < ISOLATION_COUNT; i++) {
		if (strcmp(buf_text(&text), isolation_line[i]) == 0) {
			*ret = (enum isolation)i;
			return SBX_OK;
		}
	}
	return sbx_fail(
	    why, SBX_IO, "the sandbox's file 'isolation' is damaged");
}

static enum sbx_err
read_root(int dir, char ret[static PATHS_MAX], struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(PATHS_MAX);
	enum sbx_err err = file_read(dir, ROOT_FROM, &text, why);

	if (err == SBX_NOT_FOUND)
		return SBX_OK;
	return err != SBX_OK ? err : text_copy(buf_view(&text), ret, PATHS_MAX);
}

static enum sbx_err
read_network(int dir, struct provider_network *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text =
	    BUF_INIT(PROVIDER_ALLOW_MAX * PROVIDER_ALLOW_LEN);
	enum sbx_err err = file_read(dir, NETWORK, &text, why);
	struct view cursor = buf_view(&text), line;

	if (err != SBX_OK)
		return err == SBX_NOT_FOUND ? SBX_OK : err;
	ret->full = true;
	while (text_next_line(&cursor, &line)) {
		if (ret->allow_count == PROVIDER_ALLOW_MAX ||
		    text_copy(line, ret->allow[ret->allow_count++],
			PROVIDER_ALLOW_LEN) != SBX_OK)
			return sbx_fail(why, SBX_IO,
			    "the sandbox's file '" NETWORK "' is damaged");
	}
	return SBX_OK;
}

static enum sbx_err
write_network(const struct box *box, struct sbx_why *why)
{
	cleanup_buf struct buf text =
	    BUF_INIT(PROVIDER_ALLOW_MAX * PROVIDER_ALLOW_LEN);

	for (size_t i = 0; i < box->network.allow_count; i++)
		buf_printf(&text, "%s\n", box->network.allow[i]);
	return file_write_atomic(box->dir, NETWORK, 0600, buf_view(&text), why);
}

enum sbx_err
box_open(const struct provider_context *context, const char *id,
    struct box *ret, struct sbx_why *why)
{
	cleanup_shelf struct shelf shelf = SHELF_INIT;
	cleanup_box struct box box = BOX_INIT;
	uint64_t ephemeral;
	enum sbx_err err = shelf_open(context, /* make= */ false, &shelf, why);

	if (err == SBX_OK)
		err = file_open_dir(shelf.boxes, id, &box.dir, why);
	if (err == SBX_NOT_FOUND)
		return sbx_fail(why, err, "there is no local sandbox %s", id);
	if (err == SBX_OK)
		err = text_copy(VIEW_STR(id), box.id, sizeof(box.id));
	if (err != SBX_OK)
		return err;
	err = read_numbers(box.dir, "spec", 1, &box.issued_after, 1, why);
	if (err == SBX_OK)
		err = read_numbers(box.dir, "spec", 3, &box.owner, 1, why);
	if (read_numbers(box.dir, "spec", 5, &box.incarnation, 1, NULL) !=
	    SBX_OK)
		box.incarnation = 0;
	box.ephemeral =
	    read_numbers(box.dir, "spec", 7, &ephemeral, 1, NULL) == SBX_OK &&
	    ephemeral != 0;
	if (err == SBX_OK)
		err = read_isolation(box.dir, &box.isolation, why);
	if (err == SBX_OK && box.isolation == ISOLATION_NAMESPACES)
		err = box_read_slice(box.dir, &box.slice, why);
	if (err == SBX_OK)
		err = read_root(box.dir, box.root, why);
	if (err == SBX_OK)
		err = read_network(box.dir, &box.network, why);
	/* That one of its files lacks does not mean that it does not exist. */
	if (err != SBX_OK)
		return err == SBX_NOT_FOUND ? SBX_IO : err;
	*ret = box;
	box = BOX_INIT;
	return SBX_OK;
}

void
box_close(struct box *box)
{
	cleanup_close_fn(&box->dir);
}

enum sbx_err
box_write_slice(int dir, const struct local_slice *slice, struct sbx_why *why)
{
	char text[80];

	(void)snprintf(text, sizeof(text),
	    "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", slice->slot, slice->uid,
	    slice->gid);
	return file_write_atomic(dir, "slot", 0600, VIEW_STR(text), why);
}

enum sbx_err
box_write(const struct box *box, struct sbx_why *why)
{
	cleanup_buf struct buf key = BUF_INIT(KEYFILE_MAX);
	cleanup_keypair struct keypair pair;
	char spec[128];
	enum sbx_err err;

	keypair_generate(&pair);
	keyfile_put(&pair, box->id, &key);
	if (buf_error(&key) != SBX_OK)
		return buf_error(&key);
	(void)snprintf(spec, sizeof(spec),
	    "issued_after %" PRIu64 " owner %" PRIu64 " incarnation %" PRIu64
	    " ephemeral %d\n",
	    box->issued_after, box->owner, box->incarnation, box->ephemeral);
	err =
	    file_write_atomic(box->dir, "host_key", 0600, buf_view(&key), why);
	if (err == SBX_OK)
		err = file_write_atomic(
		    box->dir, "spec", 0600, VIEW_STR(spec), why);
	if (err == SBX_OK)
		err = file_write_atomic(box->dir, "isolation", 0600,
		    VIEW_STR(isolation_line[box->isolation]), why);
	if (err == SBX_OK && *box->root != '\0')
		err = file_write_atomic(
		    box->dir, ROOT_FROM, 0600, VIEW_STR(box->root), why);
	if (err == SBX_OK && box->network.full)
		err = write_network(box, why);
	return err;
}

enum sbx_err
box_host_key(const struct box *box, struct buf *ret_text, struct keypair *ret,
    struct sbx_why *why)
{
	enum sbx_err err = file_read(box->dir, "host_key", ret_text, why);

	if (err == SBX_OK)
		err = keyfile_parse(buf_view(ret_text), ret);
	return err == SBX_OK
	    ? SBX_OK
	    : sbx_fail(why, SBX_IO, "the host key of sandbox %s is damaged: %s",
		  box->id, sbx_err_text(err));
}

struct refusal
box_refusal(const struct box *box)
{
	cleanup_buf struct buf line = BUF_INIT(REFUSAL_LEN);
	cleanup_close int report = -1;
	struct refusal refusal = { SBX_OK, 0 };

	if (file_open_dir(box->dir, BOX_REPORT, &report, NULL) != SBX_OK ||
	    file_read(report, BOX_REFUSED, &line, NULL) != SBX_OK ||
	    refusal_parse(buf_view(&line), &refusal) != SBX_OK)
		return (struct refusal){ SBX_OK, 0 };
	return refusal;
}

uint32_t
box_full(const struct box *box)
{
	cleanup_buf struct buf text = BUF_INIT(16);
	cleanup_close int report = -1;
	struct view cursor, line;
	char number[16];
	uint64_t count;

	if (file_open_dir(box->dir, BOX_REPORT, &report, NULL) != SBX_OK ||
	    file_read(report, BOX_FULL, &text, NULL) != SBX_OK)
		return 0;
	cursor = buf_view(&text);
	if (!text_next_line(&cursor, &line) ||
	    text_copy(line, number, sizeof(number)) != SBX_OK ||
	    text_uint(number, 1, PROVIDER_FULL_MAX, &count) != SBX_OK)
		return 0;
	return (uint32_t)count;
}

void
box_processes(const struct box *box, struct process ret[BOX_PROCESSES])
{
	cleanup_buf struct buf text = BUF_INIT(SMALL_FILE_MAX);
	struct view cursor;

	for (int i = 0; i < BOX_PROCESSES; i++)
		ret[i] = (struct process){ 0, 0 };
	if (file_read(box->dir, "init", &text, NULL) != SBX_OK)
		return;
	cursor = buf_view(&text);
	for (int i = 0; i < BOX_PROCESSES; i++) {
		struct process process;

		if (process_parse(&cursor, &process) == SBX_OK &&
		    process_alive(&process))
			ret[i] = process;
	}
}

enum sbx_err
box_put_processes(const struct box *box,
    const struct process process[BOX_PROCESSES], struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(SMALL_FILE_MAX);

	for (int i = 0; i < BOX_PROCESSES; i++) {
		if (process[i].pid > 0)
			process_put(&process[i], &text);
	}
	return file_write_atomic(box->dir, "init", 0600, buf_view(&text), why);
}

void
box_forget_processes(const struct box *box)
{
	(void)unlinkat(box->dir, "init", 0);
}
