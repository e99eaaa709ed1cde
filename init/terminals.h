/* SPDX-License-Identifier: ISC */
/*
 * Terminals below /dev/pts, by their names there ("0"), as somebody finds them
 * who must not wait for whoever has them.
 */
#ifndef SBX_INIT_TERMINALS_H
#define SBX_INIT_TERMINALS_H

#include <stdbool.h>
#include <stdint.h>

#define TERMINALS "/dev/pts"

/*
 * False where it took nothing: its output is stopped, or messages are not
 * wanted there (mesg n).
 */
bool terminal_write(const char *name, const char *text);
/* When something was last typed or shown there, in Unix time; or -1. */
int64_t terminal_used(const char *name);

#endif
