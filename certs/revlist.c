/* SPDX-License-Identifier: ISC */
#include "certs/revlist.h"

#include <string.h>

/* Its rows and hashes to ret_tables, count and root to ret_head. */
static enum sbx_err
put_spans(struct spans spans, struct view rows, struct buf *ret_head,
    struct buf *ret_tables)
{
	spans.count = rows.len / spans_width(&spans);
	if (spans.count > SPANS_MAX)
		return SBX_TOO_LARGE;
	spans_put(&spans, rows, ret_tables);
	buf_put_u64(ret_head, spans.count);
	buf_put(ret_head, spans.root, sizeof(spans.root));
	return buf_error(ret_tables);
}

/* The head behind its prefix, and the tables, of a sorted set. */
static enum sbx_err
put_body(const struct revset *set, uint64_t issued_at, uint64_t next_update,
    struct buf *ret_body, struct buf *ret_tables)
{
	static const struct spans serials = { .key = REVOCATIONS_SERIAL_LEN,
		.pairs = true };
	static const struct spans keys = { .key = REVOCATIONS_KEY_LEN };

	buf_put_u64(ret_body, issued_at);
	buf_put_u64(ret_body, next_update);
	buf_put_u32(ret_body, (uint32_t)(set->cas.len / KEY_ED25519_LEN));
	buf_put_view(ret_body, buf_view(&set->cas));
	buf_put_u32(ret_body, (uint32_t)set->table_count);
	for (size_t i = 0; i < set->table_count; i++) {
		const struct revset_table *table = &set->table[i];
		enum sbx_err err;

		buf_put(ret_body, table->ca, sizeof(table->ca));
		err = put_spans(
		    serials, buf_view(&table->serials), ret_body, ret_tables);
		if (err != SBX_OK)
			return err;
	}
	return put_spans(keys, buf_view(&set->keys), ret_body, ret_tables);
}

static void
put_head(const uint8_t signer[static KEY_ED25519_LEN], struct view body,
    struct buf *ret)
{
	size_t len = sizeof(REVOCATIONS_MAGIC) + 2 * sizeof(uint32_t) +
	    KEY_ED25519_LEN + body.len;

	buf_put(ret, REVOCATIONS_MAGIC, sizeof(REVOCATIONS_MAGIC));
	buf_put_u32(ret, REVOCATIONS_VERSION);
	buf_put_u32(ret, (uint32_t)len);
	buf_put(ret, signer, KEY_ED25519_LEN);
	buf_put_view(ret, body);
}

/* The sorted set's head, unsigned, and its tables. */
static enum sbx_err
encode(const struct revset *set, const uint8_t signer[static KEY_ED25519_LEN],
    uint64_t issued_at, uint64_t next_update, struct buf *ret_head,
    struct buf *ret_tables)
{
	cleanup_buf struct buf body = BUF_INIT(REVOCATIONS_HEAD_MAX);
	enum sbx_err err;

	if (set->cas.len / KEY_ED25519_LEN > REVOCATIONS_CAS_MAX)
		return SBX_TOO_LARGE;
	err = put_body(set, issued_at, next_update, &body, ret_tables);
	if (err == SBX_OK)
		err = buf_error(&body);
	if (err != SBX_OK)
		return err;
	put_head(signer, buf_view(&body), ret_head);
	return buf_error(ret_head);
}

enum sbx_err
revlist_sign(struct revset *set, const struct ca_key *ca, uint64_t issued_at,
    uint64_t next_update, struct buf *ret, struct sbx_why *why)
{
	cleanup_buf struct buf head = BUF_INIT(REVOCATIONS_HEAD_MAX);
	cleanup_buf struct buf tables = BUF_INIT(REVSET_BYTES_MAX);
	uint8_t signature[crypto_sign_ed25519_BYTES];
	enum sbx_err err;

	if (issued_at >= next_update)
		return sbx_fail(why, SBX_BAD_VALUE,
		    "the next update comes before the list is issued");
	if (revset_has_ca(set, ca->public))
		return sbx_fail(why, SBX_REVOKED_SIGNER,
		    "the list revokes the CA that is to sign it: sign it with "
		    "another one");
	err = revset_sort(set);
	if (err == SBX_OK)
		err = encode(
		    set, ca->public, issued_at, next_update, &head, &tables);
	if (err != SBX_OK)
		return sbx_fail(why, err,
		    "the list: %s (at most %d CAs, %d ranges of serials of "
		    "each, %d keys)",
		    sbx_err_text(err), REVOCATIONS_CAS_MAX, SPANS_MAX,
		    SPANS_MAX);
	err = ca_key_sign(ca, buf_view(&head), signature, why);
	if (err != SBX_OK)
		return err;
	buf_put_view(ret, buf_view(&head));
	buf_put(ret, signature, sizeof(signature));
	buf_put_view(ret, buf_view(&tables));
	return buf_error(ret);
}

static enum sbx_err
read_rows(const struct spans *spans, int fd, struct buf *ret)
{
	size_t n = (size_t)spans->count * spans_width(spans);
	uint8_t *room = buf_grow(ret, n);

	if (room == NULL)
		return buf_error(ret);
	return spans_pread(fd, spans->offset, room, n);
}

static enum sbx_err
read_set(const struct revocations *list, struct revset *ret)
{
	enum sbx_err err = SBX_OK;

	for (size_t i = 0; i < list->ca_count && err == SBX_OK; i++)
		err = revset_add_ca(ret, list->ca[i]);
	for (size_t i = 0; i < list->table_count && err == SBX_OK; i++) {
		struct revset_table *table =
		    revset_table(ret, list->table[i].ca);

		err = read_rows(
		    &list->table[i].serials, list->fd, &table->serials);
	}
	if (err == SBX_OK)
		err = read_rows(&list->keys, list->fd, &ret->keys);
	return err;
}

/* Does the file go on, from offset, with exactly these bytes? */
static enum sbx_err
compare(int fd, uint64_t offset, struct view want)
{
	uint8_t chunk[8192];
	struct wire w = wire_of(want);

	while (wire_more(&w)) {
		size_t n = w.left < sizeof(chunk) ? w.left : sizeof(chunk);
		enum sbx_err err = spans_pread(fd, offset, chunk, n);

		if (err != SBX_OK)
			return err;
		if (!view_eq(wire_bytes(&w, n), VIEW(chunk, n)))
			return SBX_BAD_VALUE;
		offset += n;
	}
	return SBX_OK;
}

/*
 * One set has one form, so a list is without fault if it is what comes out
 * when it is made again.
 */
static enum sbx_err
check_form(const struct revocations *list, struct revset *set)
{
	cleanup_buf struct buf head = BUF_INIT(REVOCATIONS_HEAD_MAX);
	cleanup_buf struct buf tables = BUF_INIT(REVSET_BYTES_MAX);
	enum sbx_err err = revset_sort(set);

	if (err == SBX_OK)
		err = encode(set, list->signer, list->issued_at,
		    list->next_update, &head, &tables);
	if (err == SBX_OK)
		err = compare(list->fd, 0, buf_view(&head));
	if (err == SBX_OK)
		err = compare(list->fd, list->head_size, buf_view(&tables));
	return err;
}

enum sbx_err
revlist_load(int fd, struct revset *set, struct revocations *ret_head,
    struct sbx_why *why)
{
	cleanup_revset struct revset read;
	enum sbx_err err;

	revset_init(&read);
	err = revocations_open(fd, ret_head, why);
	if (err != SBX_OK)
		return err;
	err = read_set(ret_head, &read);
	if (err == SBX_OK)
		err = check_form(ret_head, &read);
	if (err != SBX_OK)
		return sbx_fail(why, err, "its tables: %s", sbx_err_text(err));
	err = revset_add_all(set, &read);
	return err == SBX_OK ? err
			     : sbx_fail(why, err, "more than a list can hold");
}
