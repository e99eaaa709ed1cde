/* SPDX-License-Identifier: ISC */
/*
 * A sanitizer's run-time needs address space, a process of its own and more
 * system calls than we do.
 */
#ifndef SBX_SANITIZED_H
#define SBX_SANITIZED_H

#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#endif
