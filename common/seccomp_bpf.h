/* SPDX-License-Identifier: ISC */
/*
 * Words for filters of system calls, seccomp(2).
 */
#ifndef SBX_SECCOMP_BPF_H
#define SBX_SECCOMP_BPF_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel calls the system calls that we were compiled with; 0: ? */
#if defined(__x86_64__) && !defined(__ILP32__)
#define BPF_NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define BPF_NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define BPF_NATIVE_ARCH AUDIT_ARCH_I386
#elif defined(__arm__)
#define BPF_NATIVE_ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define BPF_NATIVE_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BPF_NATIVE_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define BPF_NATIVE_ARCH AUDIT_ARCH_S390X
#else
#define BPF_NATIVE_ARCH 0
#endif

/* Arguments have 64 bits; what takes an int looks at the lower half. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BPF_LOW_HALF 0
#else
#define BPF_LOW_HALF 4
#endif

#define BPF_NUMBER_AT offsetof(struct seccomp_data, nr)
#define BPF_ARCH_AT offsetof(struct seccomp_data, arch)
#define BPF_ARGUMENT_AT(i) \
	(offsetof(struct seccomp_data, args) + (i)*8 + BPF_LOW_HALF)

#define BPF_DO(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define BPF_IF(code, k, yes, no) \
	((struct sock_filter)BPF_JUMP(BPF_JMP | (code) | BPF_K, k, yes, no))
#define BPF_LOAD(offset) BPF_DO(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define BPF_IF_EQUAL(k, yes, no) BPF_IF(BPF_JEQ, k, yes, no)
#define BPF_ALLOW BPF_DO(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define BPF_FAIL(error) \
	BPF_DO(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)(error))

#endif
