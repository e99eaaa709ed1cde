/* SPDX-License-Identifier: ISC */
#include "tests/unit/cases.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "broker/manager.h"
#include "common/cleanup.h"

#define PID 4321

struct row {
	const char *name;
	const char *pid, *fds;
	int family, type;
	bool listening;
	enum sbx_err want;
	bool taken;
};

static const struct row rows[] = {
	{ "nothing", NULL, NULL, AF_UNIX, SOCK_STREAM, true, SBX_OK, false },
	{ "one", "4321", "1", AF_UNIX, SOCK_STREAM, true, SBX_OK, true },
	{ "another process's", "4322", "1", AF_UNIX, SOCK_STREAM, true, SBX_OK,
	    false },
	{ "a pid that is none", "4321x", "1", AF_UNIX, SOCK_STREAM, true,
	    SBX_OK, false },
	{ "a pid alone", "4321", NULL, AF_UNIX, SOCK_STREAM, true, SBX_OK,
	    false },
	{ "none", "4321", "0", AF_UNIX, SOCK_STREAM, true, SBX_OK, false },
	{ "two", "4321", "2", AF_UNIX, SOCK_STREAM, true, SBX_USAGE, false },
	{ "no number", "4321", "-1", AF_UNIX, SOCK_STREAM, true, SBX_USAGE,
	    false },
	{ "not listening", "4321", "1", AF_UNIX, SOCK_STREAM, false, SBX_USAGE,
	    false },
	{ "datagrams", "4321", "1", AF_UNIX, SOCK_DGRAM, false, SBX_USAGE,
	    false },
	{ "packets", "4321", "1", AF_UNIX, SOCK_SEQPACKET, true, SBX_USAGE,
	    false },
	{ "of the internet", "4321", "1", AF_INET, SOCK_STREAM, true, SBX_USAGE,
	    false },
};

/* A socket at the place where a service manager puts it. */
static void
hand_over(const struct row *row)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(row->family, row->type, 0);

	assert_true(fd >= 0);
	if (row->family == AF_UNIX)
		assert_int_equal(bind(fd, (struct sockaddr *)&address,
				     sizeof(address.sun_family)),
		    0);
	if (row->listening)
		assert_int_equal(listen(fd, 1), 0);
	if (fd != MANAGER_FIRST_FD) {
		assert_int_equal(dup2(fd, MANAGER_FIRST_FD), MANAGER_FIRST_FD);
		(void)close(fd);
	}
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	const struct manager_variables variables = { NULL, row->pid, row->fds };
	struct manager found = MANAGER_NONE;
	struct sbx_why why = { "" };

	hand_over(row);
	assert_int_equal(
	    manager_find(&variables, PID, &found, &why), row->want);
	assert_int_equal(*why.text != '\0', row->want != SBX_OK);
	assert_int_equal(found.listen_fd, row->taken ? MANAGER_FIRST_FD : -1);
	assert_int_equal(manager_is_there(&found), row->taken);
	if (row->taken)
		assert_true((fcntl(MANAGER_FIRST_FD, F_GETFD) & FD_CLOEXEC) &&
		    (fcntl(MANAGER_FIRST_FD, F_GETFL) & O_NONBLOCK));
	(void)close(MANAGER_FIRST_FD);
}

static void
test_path(void **state)
{
	static const char path[] = "test_manager.sock";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct manager manager = MANAGER_NONE;

	(void)state;
	manager.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, path, sizeof(path));
	(void)unlink(path);
	assert_int_equal(bind(manager.listen_fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	assert_int_equal(manager_check_path(&manager, path, NULL), SBX_OK);
	assert_int_equal(
	    manager_check_path(&manager, "/elsewhere", NULL), SBX_CONFIG);
	(void)unlink(path);
	(void)close(manager.listen_fd);
}

/* Told at an abstract name; nobody hears it at one that is not there. */
static void
test_told(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	struct manager manager;
	struct manager_variables variables = { NULL, NULL, NULL };
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[sizeof(address.sun_path) + 1] = "", text[128] = "";

	(void)state;
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)),
	    0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	memcpy(name, address.sun_path, len - sizeof(address.sun_family));
	name[0] = '@';
	variables.notify_socket = name;
	assert_int_equal(manager_find(&variables, PID, &manager, NULL), SBX_OK);
	assert_true(manager_is_there(&manager));
	manager_tell(&manager, "READY=1\n");
	assert_int_equal(recv(fd, text, sizeof(text), 0), 8);
	assert_string_equal(text, "READY=1\n");
	memset(text, 0, sizeof(text));
	manager_tell_reload(&manager);
	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(strstr(text, "RELOADING=1\nMONOTONIC_USEC="));

	variables.notify_socket = "relative";
	assert_int_equal(manager_find(&variables, PID, &manager, NULL), SBX_OK);
	assert_false(manager_is_there(&manager));
	manager_tell(&manager, "READY=1\n");
}

int
main(void)
{
	/* Whoever runs us may have something there. */
	(void)close_range(MANAGER_FIRST_FD, ~0U, 0);
	CASE_ROWS(rows, test_row);
	CASE(test_path);
	CASE(test_told);
	return cases_run("manager");
}
