/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "proxycmd/dial/dial.h"
#include "proxycmd/dial/endpoint.h"

/*
 * Few kernels can connect a vsock to themselves: socket(2) and connect(2)
 * are ours here (--wrap).
 */
static struct {
	int socket_error, connect_error;
	int family, type;
	struct sockaddr_vm to;
	socklen_t len;
} seen;

int __wrap_socket(int family, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);

int
__wrap_socket(int family, int type, int protocol)
{
	int pair[2];

	(void)protocol;
	seen.family = family;
	seen.type = type;
	if (seen.socket_error != 0) {
		errno = seen.socket_error;
		return -1;
	}
	assert_int_equal(socketpair(AF_UNIX, type, 0, pair), 0);
	(void)close(pair[1]);
	return pair[0];
}

int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	(void)fd;
	assert_true(len <= sizeof(seen.to));
	memcpy(&seen.to, to, len);
	seen.len = len;
	errno = seen.connect_error;
	return errno == 0 ? 0 : -1;
}

static const struct vsock_row {
	const char *name, *endpoint;
	int socket_error, connect_error;
	enum sbx_err want;
	const char *says;
} vsocks[] = {
	{ "a guest", "vsock:3:22", 0, 0, SBX_OK, NULL },
	{ "the largest", "vsock:4294967294:4294967295", 0, 0, SBX_OK, NULL },
	{ "at once or later", "vsock:3:22", 0, EINPROGRESS, SBX_OK, NULL },
	{ "a kernel without vsock", "vsock:3:22", EAFNOSUPPORT, 0,
	    SBX_UNAVAILABLE,
	    "cannot connect to vsock:3:22: this kernel has no vsock that "
	    "leads there (Address family not supported by protocol): load "
	    "vhost_vsock, or vsock_loopback for CID 1" },
	{ "a kernel without a way to that guest", "vsock:1:22", 0, ENODEV,
	    SBX_UNAVAILABLE,
	    "cannot connect to vsock:1:22: this kernel has no vsock that "
	    "leads there (No such device): load vhost_vsock, or "
	    "vsock_loopback for CID 1" },
	{ "nobody listens", "vsock:3:22", 0, ECONNRESET, SBX_UNAVAILABLE,
	    "cannot connect to vsock:3:22: Connection reset by peer" },
	{ "no answer", "vsock:3:22", 0, ETIMEDOUT, SBX_TIMEOUT,
	    "cannot connect to vsock:3:22: Connection timed out" },
};

static void
test_vsock(void **state)
{
	static const struct dial_setup setup = { .relay = "/nonexistent" };
	const struct vsock_row *row = *state;
	struct sbx_why why = { "" };
	struct endpoint endpoint;
	int fd = -1;

	memset(&seen, 0, sizeof(seen));
	seen.socket_error = row->socket_error;
	seen.connect_error = row->connect_error;
	assert_int_equal(
	    endpoint_parse(row->endpoint, &endpoint, NULL), SBX_OK);
	assert_int_equal(
	    dial_race(&endpoint, 1, &setup, deadline_in(5000), &fd, &why),
	    row->want);
	assert_int_equal(seen.family, AF_VSOCK);
	assert_int_equal(seen.type, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (row->socket_error == 0) {
		assert_int_equal(seen.len, sizeof(struct sockaddr_vm));
		assert_int_equal(seen.to.svm_family, AF_VSOCK);
		assert_int_equal(seen.to.svm_cid, endpoint.cid);
		assert_int_equal(seen.to.svm_port, endpoint.number);
		assert_int_equal(seen.to.svm_flags, 0);
	}
	if (row->says != NULL)
		assert_string_equal(why.text, row->says);
	if (fd >= 0)
		(void)close(fd);
}

int
main(void)
{
	CASE_ROWS(vsocks, test_vsock);
	return cases_run("attempt");
}
