/* SPDX-License-Identifier: ISC */
/*
 * Limits that programs on both sides of the broker's API go by, in seconds.
 */
#ifndef SBX_LIMITS_H
#define SBX_LIMITS_H

#define LIMITS_TTL_MAX (24 * 3600)	  /* of a user's certificate */
#define LIMITS_TTL_DEFAULT 3600		  /* of one, where none is asked for */
#define LIMITS_LIFE_MAX (365 * 24 * 3600) /* of a sandbox with an end */
#define LIMITS_WAIT_MAX 3600		  /* for a start, by a client */

#endif
