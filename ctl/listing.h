/* SPDX-License-Identifier: ISC */
/*
 * Which sandboxes there are at one broker, and which of them are meant.
 */
#ifndef SBX_CTL_LISTING_H
#define SBX_CTL_LISTING_H

#include "ctl/ctl.h"
#include "ctl/label.h"
#include "ctl/sandbox.h"

/* What does not restrict is 0, empty, or "". */
struct filter {
	int state; /* of filter_states */
	struct label_list labels;
	char provider[FIELD_TEXT];
	char owner[256];
};

/* "any" and the states, for field_choice. */
extern const char *const filter_states[];
/* struct filter: state=STATE, label=KEY=VALUE, provider=NAME, owner=USER. */
field_parser field_filter;

struct listed {
	struct sandbox sandbox;
	size_t json; /* where in text; it ends with a NUL */
};

struct listing {
	const struct filter *filter;
	bool json;	  /* is to be told as JSON, too */
	struct buf items; /* struct listed, by id */
	struct buf text;
};

#define LISTING_MAX 100000
#define LISTING_BYTES (64 << 20)
#define LISTING_INIT(f, j)                                               \
	{                                                                \
		(f), (j), BUF_INIT(LISTING_MAX * sizeof(struct listed)), \
		    BUF_INIT(LISTING_BYTES)                              \
	}

/* All that fit the filter now, instead of what was in it. */
enum sbx_err listing_read(struct listing *listing, struct broker *broker,
    struct sbx_why *why) MUST_USE;
size_t listing_count(const struct listing *listing) MUST_USE;
const struct listed *
listing_at(const struct listing *listing, size_t i) MUST_USE;
const char *
listing_json(const struct listing *listing, const struct listed *item);
void listing_free(struct listing *listing);
#define cleanup_listing __attribute__((cleanup(listing_free)))

#endif
