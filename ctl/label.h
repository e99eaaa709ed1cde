/* SPDX-License-Identifier: ISC */
/*
 * Labels on the command line: --label KEY=VALUE.
 */
#ifndef SBX_CTL_LABEL_H
#define SBX_CTL_LABEL_H

#include "common/field.h"

#define LABEL_MAX 16
#define LABEL_TEXT 320

struct label_list {
	size_t count;
	char text[LABEL_MAX][LABEL_TEXT];
};

/*
 * struct label_list: adds one of another key, up to max, which is at most
 * LABEL_MAX.  The broker judges what may stand in it.
 */
field_parser field_label;

#endif
