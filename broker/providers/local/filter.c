/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/filter.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/seccomp_bpf.h"

#if BPF_NATIVE_ARCH == 0
#error "filter.c: which system calls does this processor have?"
#endif

/* System calls of another ABI on the same processor have this bit. */
#define X32_BIT 0x40000000

/*
 * ENOSYS: programs then do without, as on a kernel that lacks the call; with
 * EPERM some give up.
 */
static const uint32_t missing[] = {
	/* keys that are counted and found across sandboxes */
	SYS_add_key,
	SYS_keyctl,
	SYS_request_key,
	/* one limit for the machine, fs.aio-max-nr */
	SYS_io_cancel,
	SYS_io_destroy,
	SYS_io_getevents,
	SYS_io_setup,
	SYS_io_submit,
	SYS_io_pgetevents,
	/* much kernel, much of it new */
	SYS_bpf,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_io_uring_setup,
	SYS_perf_event_open,
	SYS_userfaultfd,
	/* the machine's */
	SYS_acct,
	SYS_delete_module,
	SYS_finit_module,
	SYS_init_module,
	SYS_kexec_load,
	SYS_open_by_handle_at,
	SYS_quotactl,
	SYS_reboot,
	SYS_swapoff,
	SYS_swapon,
	SYS_syslog,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_quotactl_fd
	SYS_quotactl_fd,
#endif
#ifdef SYS_ioperm
	SYS_ioperm,
#endif
#ifdef SYS_iopl
	SYS_iopl,
#endif
#ifdef SYS_uselib
	SYS_uselib,
#endif
/* It would be a way around what socket(2) is asked. */
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
};

#define MISSING (sizeof(missing) / sizeof(missing[0]))

static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6 };
/* Other families by way of AF_INET: packets, and SMC in new kernels. */
static const uint32_t types[] = { SOCK_PACKET };
#define TYPE_MASK 0xf
static const uint32_t inet_protocols[] = { 256 /* IPPROTO_SMC */ };
static const uint32_t pair_families[] = { AF_UNIX };
static const uint32_t protocols[] = { NETLINK_ROUTE, NETLINK_SOCK_DIAG,
	NETLINK_KOBJECT_UEVENT, NETLINK_GENERIC };
/* Typing into a terminal for somebody else. */
static const uint32_t commands[] = { TIOCSTI, TIOCLINUX };

static void
put(struct buf *ret, struct sock_filter f)
{
	buf_put(ret, &f, sizeof(f));
}

/* Go on with the next unless the value is one of these: then yes. */
static void
put_if_any(struct buf *ret, const uint32_t *values, size_t count,
    struct sock_filter yes)
{
	for (size_t i = 0; i < count; i++)
		put(ret,
		    BPF_IF_EQUAL(
			values[i], (uint8_t)(count - 1 - i), i == count - 1));
	put(ret, yes);
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define PUT_IF_ANY(ret, table, yes) put_if_any(ret, table, COUNT(table), yes)

/* The filter of one call: everything up to the next number. */
static void
put_call(struct buf *ret, uint32_t number, struct view body)
{
	put(ret,
	    BPF_IF_EQUAL(
		number, 0, (uint8_t)(body.len / sizeof(struct sock_filter))));
	buf_put(ret, body.p, body.len);
}

static void
put_socket(struct buf *ret)
{
	cleanup_buf struct buf body = BUF_INIT(FILTER_BYTES_MAX);

	put(&body, BPF_LOAD(BPF_ARGUMENT_AT(1)));
	put(&body, BPF_DO(BPF_ALU | BPF_AND | BPF_K, TYPE_MASK));
	PUT_IF_ANY(&body, types, BPF_FAIL(EAFNOSUPPORT));
	put(&body, BPF_LOAD(BPF_ARGUMENT_AT(2)));
	PUT_IF_ANY(&body, inet_protocols, BPF_FAIL(EPROTONOSUPPORT));
	put(&body, BPF_LOAD(BPF_ARGUMENT_AT(0)));
	PUT_IF_ANY(&body, families, BPF_ALLOW);
	put(&body, BPF_IF_EQUAL(AF_NETLINK, 1, 0));
	put(&body, BPF_FAIL(EAFNOSUPPORT));
	put(&body, BPF_LOAD(BPF_ARGUMENT_AT(2)));
	PUT_IF_ANY(&body, protocols, BPF_ALLOW);
	put(&body, BPF_FAIL(EPROTONOSUPPORT));
	put_call(ret, SYS_socket, buf_view(&body));
}

static void
put_socketpair(struct buf *ret)
{
	cleanup_buf struct buf body = BUF_INIT(FILTER_BYTES_MAX);

	put(&body, BPF_LOAD(BPF_ARGUMENT_AT(0)));
	PUT_IF_ANY(&body, pair_families, BPF_ALLOW);
	put(&body, BPF_FAIL(EAFNOSUPPORT));
	put_call(ret, SYS_socketpair, buf_view(&body));
}

static void
put_ioctl(struct buf *ret)
{
	cleanup_buf struct buf body = BUF_INIT(FILTER_BYTES_MAX);

	put(&body, BPF_LOAD(BPF_ARGUMENT_AT(1)));
	PUT_IF_ANY(&body, commands, BPF_FAIL(EPERM));
	put(&body, BPF_ALLOW);
	put_call(ret, SYS_ioctl, buf_view(&body));
}

void
filter_put(struct buf *ret)
{
	put(ret, BPF_LOAD(BPF_ARCH_AT));
	put(ret, BPF_IF_EQUAL(BPF_NATIVE_ARCH, 1, 0));
	put(ret, BPF_FAIL(ENOSYS));
	put(ret, BPF_LOAD(BPF_NUMBER_AT));
#ifdef __x86_64__
	put(ret, BPF_IF(BPF_JGE, X32_BIT, 0, 1));
	put(ret, BPF_FAIL(ENOSYS));
#endif
	put_ioctl(ret);
	put_socket(ret);
	put_socketpair(ret);
	PUT_IF_ANY(ret, missing, BPF_FAIL(ENOSYS));
	put(ret, BPF_ALLOW);
}
