/* SPDX-License-Identifier: ISC */
#include "kit/powerless.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/cases.h"

enum { DROP = 1, DROP_BOUNDING = 2, NO_NEW_PRIVS = 4, INHERITABLE = 8 };

static const struct {
	const char *name;
	int how;
	int error;
	int want; /* of forgive(error) */
} rows[] = {
	{ "nothing held, nothing to come by no_new_privs", DROP | NO_NEW_PRIVS,
	    EPERM, 0 },
	{ "nothing held, but executing a file could bring it back", DROP, EPERM,
	    -1 },
	{ "only EPERM is forgiven", DROP | NO_NEW_PRIVS, ENOENT, -1 },
};

static const struct {
	const char *name;
	int how;
	int error;
	int want;
} root_rows[] = {
	{ "capabilities are held", 0, EPERM, -1 },
	{ "capabilities are held under no_new_privs", NO_NEW_PRIVS, EPERM, -1 },
	{ "nothing held, and the bounding set is empty", DROP | DROP_BOUNDING,
	    EPERM, 0 },
	{ "inheritable ones come back with the next program",
	    DROP | DROP_BOUNDING | INHERITABLE, EPERM, -1 },
};

static int
drop(int how)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct kept[2] = { 0 }, all[2];

	/* Without its place in the bounding set it could not be added. */
	if ((how & INHERITABLE) != 0) {
		if (syscall(SYS_capget, &header, all) < 0)
			return -1;
		all[0].inheritable = kept[0].inheritable = 1U << CAP_CHOWN;
		if (syscall(SYS_capset, &header, all) < 0)
			return -1;
	}
	for (unsigned long cap = 0; (how & DROP_BOUNDING) != 0 && cap < 64;
	     cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if ((how & NO_NEW_PRIVS) != 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (how & DROP) == 0 ? 0 : (int)syscall(SYS_capset, &header, kept);
}

static void
judge(int how, int error, int want)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(drop(how) < 0		     ? 2
			: forgive(error) != want     ? 1
			: want < 0 && errno != error ? 3
						     : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_row(void **state)
{
	const typeof(rows[0]) *row = *state;

	judge(row->how, row->error, row->want);
}

static void
test_root_row(void **state)
{
	const typeof(root_rows[0]) *row = *state;

	if (geteuid() != 0)
		skip();
	judge(row->how, row->error, row->want);
}

int
main(void)
{
	CASE_ROWS(rows, test_row);
	CASE_ROWS(root_rows, test_root_row);
	return cases_run("powerless");
}
