/* SPDX-License-Identifier: ISC */
#include "certs/spans.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_MAX (SPANS_FANOUT * (SPANS_KEY_MAX + SPANS_HASH_LEN))

/* Where each level stands, the rows themselves first. */
struct levels {
	size_t count;
	struct level {
		uint64_t rows;
		uint64_t offset;
		size_t width;
	} level[SPANS_LEVELS];
};

size_t
spans_width(const struct spans *spans)
{
	return spans->pairs ? 2 * spans->key : spans->key;
}

static struct levels
levels_of(const struct spans *spans)
{
	struct levels all = { 0 };
	struct level level = { spans->count, spans->offset,
		spans_width(spans) };

	for (;;) {
		all.level[all.count++] = level;
		if (level.rows <= SPANS_FANOUT || all.count == SPANS_LEVELS)
			return all;
		level.offset += level.rows * level.width;
		level.rows = (level.rows + SPANS_FANOUT - 1) / SPANS_FANOUT;
		level.width = spans->key + SPANS_HASH_LEN;
	}
}

uint64_t
spans_size(const struct spans *spans)
{
	const struct levels all = levels_of(spans);
	const struct level *top = &all.level[all.count - 1];

	return top->offset + top->rows * top->width - spans->offset;
}

static void
hash_block(struct view block, uint8_t ret[static SPANS_HASH_LEN])
{
	(void)crypto_generichash_blake2b(
	    ret, SPANS_HASH_LEN, block.p, block.len, NULL, 0);
}

/* One row for each block of the level below. */
static void
put_level(size_t key, struct view below, size_t width, struct buf *ret)
{
	struct wire w = wire_of(below);

	while (wire_more(&w)) {
		size_t len = SPANS_FANOUT * width;
		uint8_t hash[SPANS_HASH_LEN];
		struct view block = wire_bytes(&w, w.left < len ? w.left : len);

		hash_block(block, hash);
		buf_put_view(ret, VIEW(block.p, key));
		buf_put(ret, hash, sizeof(hash));
	}
}

void
spans_put(struct spans *spans, struct view rows, struct buf *ret)
{
	size_t width = spans_width(spans);
	cleanup_buf struct buf below = BUF_INIT(rows.len);

	buf_put_view(ret, rows);
	buf_put_view(&below, rows);
	while (
	    buf_error(&below) == SBX_OK && below.len > SPANS_FANOUT * width) {
		struct buf above = BUF_INIT(rows.len);

		put_level(spans->key, buf_view(&below), width, &above);
		buf_put_view(ret, buf_view(&above));
		buf_free(&below);
		below = above;
		width = spans->key + SPANS_HASH_LEN;
	}
	buf_fail(ret, buf_error(&below));
	hash_block(buf_view(&below), spans->root);
}

enum sbx_err
spans_pread(int fd, uint64_t offset, void *ret, size_t n)
{
	uint8_t *p = ret;

	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? SBX_IO : SBX_TRUNCATED;
		p += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return SBX_OK;
}

/* A block that was read, and what the level above says of it. */
struct block {
	uint8_t bytes[BLOCK_MAX];
	size_t rows, width;
	size_t key;
	size_t last; /* where in a row its last number stands */
	uint8_t hash[SPANS_HASH_LEN];
	uint8_t from[SPANS_KEY_MAX];
	uint8_t below[SPANS_KEY_MAX]; /* all numbers are less */
	bool is_first, is_last;	      /* without from, without below */
};

static const uint8_t *
row_of(const struct block *b, size_t i)
{
	return b->bytes + i * b->width;
}

/* Starts where it should, every row after the one before it, ends in time. */
static bool
is_in_order(const struct block *b)
{
	if (!b->is_first && memcmp(row_of(b, 0), b->from, b->key) != 0)
		return false;
	for (size_t i = 0; i < b->rows; i++) {
		const uint8_t *last = row_of(b, i) + b->last;
		const uint8_t *next =
		    i + 1 < b->rows ? row_of(b, i + 1) : b->below;

		if (memcmp(row_of(b, i), last, b->key) > 0)
			return false;
		if ((i + 1 < b->rows || !b->is_last) &&
		    memcmp(last, next, b->key) >= 0)
			return false;
	}
	return true;
}

static enum sbx_err
read_block(int fd, const struct level *level, uint64_t index, struct block *b)
{
	uint64_t start = index * SPANS_FANOUT;
	uint8_t hash[SPANS_HASH_LEN];
	enum sbx_err err;

	if (start >= level->rows)
		return SBX_BAD_VALUE;
	b->rows = level->rows - start < SPANS_FANOUT
	    ? (size_t)(level->rows - start)
	    : SPANS_FANOUT;
	b->width = level->width;
	err = spans_pread(fd, level->offset + start * level->width, b->bytes,
	    b->rows * b->width);
	if (err != SBX_OK)
		return err;
	hash_block(VIEW(b->bytes, b->rows * b->width), hash);
	if (memcmp(hash, b->hash, sizeof(hash)) != 0)
		return SBX_BAD_VALUE;
	return is_in_order(b) ? SBX_OK : SBX_BAD_VALUE;
}

/* How many rows start at or before number. */
static size_t
count_up_to(const struct block *b, const uint8_t *number)
{
	size_t low = 0, high = b->rows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(row_of(b, middle), number, b->key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Note what row i of this block says of the block below it. */
static void
descend(struct block *b, size_t i)
{
	const uint8_t *row = row_of(b, i);

	memcpy(b->hash, row + b->key, sizeof(b->hash));
	memcpy(b->from, row, b->key);
	b->is_first = false;
	if (i + 1 < b->rows) {
		memcpy(b->below, row_of(b, i + 1), b->key);
		b->is_last = false;
	}
}

enum sbx_err
spans_find(
    const struct spans *spans, int fd, const uint8_t *number, bool *ret_found)
{
	const struct levels all = levels_of(spans);
	struct block b;
	uint64_t index = 0;
	size_t i = 0;

	if (spans->count == 0) {
		*ret_found = false;
		return SBX_OK;
	}
	if (spans->count > SPANS_MAX || spans->key > SPANS_KEY_MAX)
		return SBX_TOO_LARGE;
	b.rows = b.width = 0;
	b.key = spans->key;
	b.is_first = b.is_last = true;
	memcpy(b.hash, spans->root, sizeof(b.hash));
	for (size_t level = all.count; level-- > 0;) {
		enum sbx_err err;

		b.last = level == 0 && spans->pairs ? b.key : 0;
		err = read_block(fd, &all.level[level], index, &b);
		if (err != SBX_OK)
			return err;
		i = count_up_to(&b, number);
		if (i == 0) {
			*ret_found = false;
			return SBX_OK;
		}
		if (level > 0) {
			index = index * SPANS_FANOUT + i - 1;
			descend(&b, i - 1);
		}
	}
	*ret_found = memcmp(number, row_of(&b, i - 1) + b.last, b.key) <= 0;
	return SBX_OK;
}
