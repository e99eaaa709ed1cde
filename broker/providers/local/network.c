/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/providers/local/child.h"
#include "broker/providers/local/rules.h"
#include "common/cleanup.h"
#include "common/scope.h"
#include "common/text.h"

#define READY_MS 10000
#define RESOLV_MAX 65536
#define TUN "/dev/net/tun"

struct carrier {
	pid_t process_1;
	const struct local_slice *slice;
};

/* One that can be reached from inside: the host's loopback cannot. */
static bool
is_outside(const char *address)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) != 127;
	return inet_pton(AF_INET6, address, &v6) == 1 &&
	    !IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool
read_resolver(const char *path, char ret[static NETWORK_ADDRESS])
{
	cleanup_buf struct buf text = BUF_INIT(RESOLV_MAX);
	struct view cursor, line, word;
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || file_read_fd(fd, &text) != SBX_OK)
		return false;
	cursor = buf_view(&text);
	while (text_next_line(&cursor, &line)) {
		if (text_next_word(&line, &word) &&
		    view_eq_str(word, "nameserver") &&
		    text_next_word(&line, &word) &&
		    text_copy(word, ret, NETWORK_ADDRESS) == SBX_OK &&
		    is_outside(ret))
			return true;
	}
	return false;
}

void
network_resolver(
    const struct provider_network *network, char ret[static NETWORK_ADDRESS])
{
	/* The second has those that systemd-resolved itself asks. */
	if (!network->full ||
	    (!read_resolver("/etc/resolv.conf", ret) &&
		!read_resolver("/run/systemd/resolve/resolv.conf", ret)))
		ret[0] = '\0';
}

enum sbx_err
network_check(const struct provider_network *network, struct sbx_why *why)
{
	struct stat st;

	if (!network->full)
		return SBX_OK;
	if (access(PASTA_PATH, X_OK) < 0)
		return sbx_fail(why, SBX_PROGRAM,
		    "%s is missing; on Debian: apt-get install passt",
		    PASTA_PATH);
	if (network->allow_count > 0 && access(NFT_PATH, X_OK) < 0)
		return sbx_fail(why, SBX_PROGRAM,
		    "%s is missing; on Debian: apt-get install nftables",
		    NFT_PATH);
	/* As udev makes it; the sandbox's uid is nobody's. */
	if (stat(TUN, &st) < 0 || (st.st_mode & 06) != 06)
		return sbx_fail(why, SBX_UNAVAILABLE,
		    TUN " is not there, or not everybody's (chmod 666): "
			"sandboxd.conf(5) says what a network needs");
	return rules_check(network, why);
}

/*
 * An ordinary user's sandbox lies in a namespace of the user's, where its
 * maker is the slice's first uid, 1.
 */
static bool
become_maker(const struct carrier *c)
{
	cleanup_close int own = -1, outer = -1;
	uid_t uid = (uid_t)c->slice->uid;
	gid_t gid = (gid_t)c->slice->gid;
	char path[64];

	if (geteuid() != 0) {
		(void)snprintf(path, sizeof(path), "/proc/%ld/ns/user",
		    (long)c->process_1);
		own = open(path, O_RDONLY | O_CLOEXEC);
		outer = own < 0 ? -1 : ioctl(own, NS_GET_PARENT);
		if (outer < 0 || setns(outer, CLONE_NEWUSER) < 0)
			return false;
		uid = gid = 1;
	}
	return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
	    setresuid(uid, uid, uid) == 0;
}

/*
 * It goes to the background when it is ready.  With its defaults the host's
 * loopback could be reached by the gateway's address and by ports that are
 * free inside.
 */
static int
exec_pasta(const struct carrier *c)
{
	static const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };
	char pid[24];
	const char *const argv[] = { PASTA_PATH, "--config-net", "--no-map-gw",
		"-t", "none", "-u", "none", "-T", "none", "-U", "none", "-q",
		pid, NULL };

	(void)snprintf(pid, sizeof(pid), "%ld", (long)c->process_1);
	if (!become_maker(c))
		return child_fail("cannot act as the sandbox's uid");
	(void)execve(
	    PASTA_PATH, (char *const *)argv, (char *const *)environment);
	(void)child_fail(PASTA_PATH);
	return CHILD_EXEC_FAILED;
}

/* Only the two that are needed: others wait for the ends of our pipes. */
static bool
keep_descriptors(int *sync, int *pidfd)
{
	int copy = fcntl(*pidfd, F_DUPFD_CLOEXEC, 100);
	int also = fcntl(*sync, F_DUPFD_CLOEXEC, 100);

	if (copy < 0 || also < 0 || dup3(copy, 3, O_CLOEXEC) < 0 ||
	    dup3(also, 4, O_CLOEXEC) < 0)
		return false;
	*pidfd = 3;
	*sync = 4;
	return close_range(5, ~0U, 0) == 0;
}

/* What went to the background has become our child. */
static void
end_children(void)
{
	cleanup_buf struct buf text = BUF_INIT(4096);
	char path[64];
	struct view cursor, word;
	char number[24];
	uint64_t pid;

	(void)snprintf(
	    path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	if (file_read(AT_FDCWD, path, &text, NULL) != SBX_OK)
		return;
	cursor = buf_view(&text);
	while (text_next_word(&cursor, &word)) {
		if (text_copy(word, number, sizeof(number)) == SBX_OK &&
		    text_uint(number, 2, INT32_MAX, &pid) == SBX_OK)
			(void)kill((pid_t)pid, SIGKILL);
	}
}

static int
watch_body(void *arg, int sync)
{
	const struct carrier *c = arg;
	int pidfd = (int)syscall(SYS_pidfd_open, c->process_1, 0);
	struct pollfd p = { .events = POLLIN };
	int status = 0, null;
	char go;
	pid_t pid;

	/* Not before we are where we outlive sandboxd. */
	if (pidfd < 0 || !keep_descriptors(&sync, &pidfd) ||
	    read(sync, &go, 1) != 1 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return child_fail("cannot watch the sandbox");
	pid = fork();
	if (pid == 0)
		_exit(exec_pasta(c));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid < 0 || status != 0)
		return EX_OSERR;
	if (write(sync, "", 1) != 1)
		status = EX_OSERR; /* nobody waits any more */
	(void)close(sync);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
	p.fd = pidfd;
	while (status == 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
		continue;
	do
		end_children();
	while (wait(NULL) > 0 || errno == EINTR);
	return status;
}

enum sbx_err
network_start(const struct box *box, pid_t process_1, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	struct carrier carrier = { .process_1 = process_1,
		.slice = &box->slice };
	char name[NAME_ID_MAX + 16], line[320];
	enum sbx_err err;

	if (!box->network.full)
		return SBX_OK;
	(void)snprintf(name, sizeof(name), "sandbox-net-%s", box->id);
	err = child_start(watch_body, &carrier, CHILD_DETACHED, &child, why);
	if (err != SBX_OK)
		return err;
	if (scope_possible())
		(void)scope_move(
		    &(struct scope){ .name = name, .slice = "sandbox.slice" },
		    child.pid);
	if (child_tell(&child, 0) && child_hear(&child, READY_MS))
		return SBX_OK;
	child_last_line(&child, line, sizeof(line));
	return sbx_fail(why, SBX_UNAVAILABLE, "the sandbox gets no network: %s",
	    *line == '\0' ? "pasta does not get ready" : line);
}
