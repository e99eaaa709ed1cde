/* SPDX-License-Identifier: ISC */
#include "broker/life/persons.h"

#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/subid.h"
#include "common/text.h"

/* Ranges of root's below this lend accounts to containers: "root:1000:1". */
#define ACCOUNTS_END 65536
/* An account may itself lie within another's range. */
#define STEPS_MAX 8

struct row {
	struct subid range;
	bool known; /* person is */
	uid_t person;
};

struct persons {
	const struct broker_settings *settings;
	const char *path;
	pthread_mutex_t mutex;
	struct stat read; /* the file as it was read last */
	struct buf text;  /* of which the rows' names are parts */
	struct row *row;
	size_t count;
};

enum sbx_err
persons_new(const struct broker_settings *settings, const char *subuid,
    struct persons **ret)
{
	struct persons *persons = calloc(1, sizeof(*persons));

	if (persons == NULL)
		return SBX_NOMEM;
	persons->settings = settings;
	persons->path = subuid;
	persons->text = BUF_INIT(SUBID_FILE_MAX);
	(void)pthread_mutex_init(&persons->mutex, NULL);
	*ret = persons;
	return SBX_OK;
}

void
persons_free(struct persons *persons)
{
	if (persons == NULL)
		return;
	(void)pthread_mutex_destroy(&persons->mutex);
	buf_free(&persons->text);
	free(persons->row);
	free(persons);
}

/*
 * Under the mutex.
 */

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static size_t
count_rows(struct view text)
{
	struct subid range;
	size_t count = 0;

	while (subid_next(&text, &range))
		count++;
	return count;
}

/* What cannot be read leaves what is known. */
static void
read_again(struct persons *persons)
{
	struct buf text = BUF_INIT(SUBID_FILE_MAX);
	struct row *row = NULL;
	struct view cursor;
	struct stat st;
	size_t count;

	if (stat(persons->path, &st) < 0)
		memset(&st, 0, sizeof(st));
	if (is_same(&st, &persons->read))
		return;
	if (st.st_size > 0 &&
	    file_read(AT_FDCWD, persons->path, &text, NULL) != SBX_OK) {
		buf_free(&text);
		return;
	}
	count = count_rows(buf_view(&text));
	row = calloc(count + 1, sizeof(*row));
	if (row == NULL) {
		buf_free(&text);
		return;
	}
	cursor = buf_view(&text);
	for (size_t i = 0; i < count && subid_next(&cursor, &row[i].range); i++)
		;
	buf_free(&persons->text);
	free(persons->row);
	persons->text = text;
	persons->row = row;
	persons->count = count;
	persons->read = st;
}

static struct row *
row_of(struct persons *persons, uid_t uid)
{
	for (size_t i = 0; i < persons->count; i++) {
		const struct subid *range = &persons->row[i].range;

		if (uid >= range->start && uid - range->start < range->count)
			return &persons->row[i];
	}
	return NULL;
}

static bool
is_free(const struct persons *persons, uid_t uid)
{
	return uid == 0 || uid == persons->settings->own_uid;
}

/* False: there is no such account. */
static bool
account_of(struct view name, uid_t *ret)
{
	struct passwd entry, *found = NULL;
	char text[256], room[4096];
	uint64_t number;

	if (text_copy(name, text, sizeof(text)) != SBX_OK)
		return false;
	if (text_uint(text, 0, UINT32_MAX, &number) == SBX_OK) {
		*ret = (uid_t)number;
		return true;
	}
	if (getpwnam_r(text, &entry, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return false;
	*ret = entry.pw_uid;
	return true;
}

/* Names are looked up when they matter, and once. */
static uid_t
person_of_row(const struct persons *persons, struct row *row)
{
	if (!row->known) {
		if (!account_of(row->range.name, &row->person) ||
		    is_free(persons, row->person))
			row->person = (uid_t)row->range.start;
		row->known = true;
	}
	return row->person;
}

uid_t
person_of(struct persons *persons, uid_t uid)
{
	const struct uid_range *own = &persons->settings->uid_range;

	if (uid >= own->start && uid - own->start < own->count)
		return (uid_t)own->start;
	(void)pthread_mutex_lock(&persons->mutex);
	read_again(persons);
	for (int i = 0; i < STEPS_MAX && !is_free(persons, uid); i++) {
		struct row *row = row_of(persons, uid);
		uid_t person = row == NULL ? uid : person_of_row(persons, row);

		if (person == uid || is_free(persons, person) ||
		    (person == row->range.start && uid < ACCOUNTS_END))
			break;
		uid = person;
	}
	(void)pthread_mutex_unlock(&persons->mutex);
	return uid;
}
