/* SPDX-License-Identifier: ISC */
#include "broker/providers/record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define RECORD_MAX 4096
#define LOCK_LEN (NAME_ID_MAX + 8)

static const struct key {
	const char *name;
	size_t offset, size; /* size 0: a number */
} keys[] = {
	{ "native", offsetof(struct record, native), RECORD_NATIVE_LEN },
	{ "user", offsetof(struct record, user), PROVIDER_USER_LEN },
	{ "expires_at", offsetof(struct record, expires_at), 0 },
	{ "endpoint", offsetof(struct record, endpoint), PROVIDER_LINE },
	{ "auto_stop", offsetof(struct record, auto_stop), 0 },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void
take_line(struct view line, struct record *ret)
{
	const uint8_t *equals =
	    line.len == 0 ? NULL : memchr(line.p, '=', line.len);
	char *member, number[24];
	struct view value;

	if (equals == NULL)
		return;
	value = VIEW(equals + 1, line.len - (size_t)(equals - line.p) - 1);
	line.len = (size_t)(equals - line.p);
	for (size_t i = 0; i < KEYS; i++) {
		if (!view_eq_str(line, keys[i].name))
			continue;
		member = (char *)ret + keys[i].offset;
		if (keys[i].size != 0) {
			if (text_copy(value, member, keys[i].size) != SBX_OK)
				*member = '\0';
		} else if (text_copy(value, number, sizeof(number)) != SBX_OK ||
		    text_uint(number, 0, UINT64_MAX,
			(uint64_t *)(void *)member) != SBX_OK) {
			*(uint64_t *)(void *)member = 0;
		}
	}
}

static void
lock_name(const struct record *record, char ret[static LOCK_LEN])
{
	(void)snprintf(ret, LOCK_LEN, ".%s.lock", record->id);
}

enum sbx_err
record_open(const struct provider_context *context, const char *provider,
    const char *id, struct record *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(RECORD_MAX);
	char path[PATHS_MAX], lock[LOCK_LEN];
	struct view rest, line;
	enum sbx_err err = paths_join(context->state_dir, provider, path);

	if (err == SBX_OK)
		err = file_open_dir(AT_FDCWD, path, &ret->dir_fd, why);
	if (err != SBX_OK)
		return err;
	(void)snprintf(ret->id, sizeof(ret->id), "%s", id);
	lock_name(ret, lock);
	err =
	    file_lock(ret->dir_fd, lock, /* wait= */ true, &ret->lock_fd, why);
	if (err != SBX_OK)
		return err;
	err = file_read(ret->dir_fd, id, &text, why);
	if (err == SBX_NOT_FOUND)
		return SBX_OK;
	rest = buf_view(&text);
	while (err == SBX_OK && text_next_line(&rest, &line))
		take_line(line, ret);
	return err;
}

enum sbx_err
record_write(const struct record *record, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(RECORD_MAX);

	for (size_t i = 0; i < KEYS; i++) {
		const char *member = (const char *)record + keys[i].offset;

		if (keys[i].size != 0)
			buf_printf(&text, "%s=%s\n", keys[i].name, member);
		else
			buf_printf(&text, "%s=%" PRIu64 "\n", keys[i].name,
			    *(const uint64_t *)(const void *)member);
	}
	return buf_error(&text) != SBX_OK
	    ? buf_error(&text)
	    : file_write_atomic(
		  record->dir_fd, record->id, 0600, buf_view(&text), why);
}

void
record_remove(const struct record *record)
{
	char lock[LOCK_LEN];

	lock_name(record, lock);
	(void)unlinkat(record->dir_fd, record->id, 0);
	(void)unlinkat(record->dir_fd, lock, 0);
}

void
record_close(struct record *record)
{
	if (record->lock_fd >= 0)
		(void)close(record->lock_fd);
	if (record->dir_fd >= 0)
		(void)close(record->dir_fd);
	sodium_memzero(record, sizeof(*record));
	record->lock_fd = record->dir_fd = -1;
}
