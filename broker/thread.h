/* SPDX-License-Identifier: ISC */
/* Threads with small stacks: there may be many of them. */
#ifndef SBX_BROKER_THREAD_H
#define SBX_BROKER_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* ret NULL: nobody joins it.  False if there can be no more of them. */
bool thread_start(void *(*body)(void *), void *context, size_t stack,
    pthread_t *ret) MUST_USE;

#endif
