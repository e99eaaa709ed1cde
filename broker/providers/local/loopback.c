/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/loopback.h"

#include <arpa/inet.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/cleanup.h"

#define LOOPBACK_6 "fe80::1" /* of no meaning beyond this interface */
#define PREFIX_6 64
#define LOOPBACK_INDEX 1 /* of every network namespace's */

static int
udp_socket(int family)
{
	return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* Where the kernel has no IPv6 nobody asks for it. */
static void
add_ipv6(void)
{
	cleanup_close int fd = udp_socket(AF_INET6);
	struct in6_ifreq request = { .ifr6_prefixlen = PREFIX_6,
		.ifr6_ifindex = LOOPBACK_INDEX };

	if (fd >= 0 && inet_pton(AF_INET6, LOOPBACK_6, &request.ifr6_addr) == 1)
		(void)ioctl(fd, SIOCSIFADDR, &request);
}

bool
loopback_up(void)
{
	cleanup_close int fd = udp_socket(AF_INET);
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct ifreq self = { .ifr_name = "lo:1" };
	struct sockaddr_in address = { .sin_family = AF_INET };

	/* Its own addresses come with this. */
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up) < 0)
		return false;
	add_ipv6();
	if (inet_pton(AF_INET, LOOPBACK_SELF, &address.sin_addr) != 1)
		return false;
	memcpy(&self.ifr_addr, &address, sizeof(address));
	return ioctl(fd, SIOCSIFADDR, &self) == 0;
}
