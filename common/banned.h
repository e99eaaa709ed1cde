/* SPDX-License-Identifier: ISC */
/*
 * Calls that have no place here, each with what is used instead.  Every
 * source file sees this through the compiler's -include.
 */
#ifndef SBX_BANNED_H
#define SBX_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#pragma GCC poison strcpy strcat strncat stpcpy /* text, buf */
#pragma GCC poison sprintf vsprintf gets	/* snprintf, buf */
#pragma GCC poison strtok atoi atol atoll	/* text_uint */
#pragma GCC poison system popen			/* fork and exec */
#pragma GCC poison tmpnam mktemp tempnam	/* file_write_atomic */
#pragma GCC poison rand srand drand48		/* randombytes_buf */

#endif
