/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/launch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "broker/providers/local/apart.h"
#include "broker/providers/local/userns.h"
#include "common/cleanup.h"

void
launch_begin(struct launch *ret, const struct local_limits *limits,
    const struct local_slice *slice, const struct box *box)
{
	*ret = (struct launch){ .slice = slice,
		.limits = apart_limits(limits, box),
		.stage = STAGE_INIT,
		.input = -1 };
	if (box != NULL) {
		ret->stage.box = box->dir;
		ret->stage.id = box->id;
	}
}

void
launch_free(struct launch *launch)
{
	bwrap_free(&launch->bwrap);
}

static int
launch_body(void *arg, int sync)
{
	struct launch *launch = arg;
	uint8_t by;
	int status;

	status = userns_enter_sandbox(sync, launch->slice, &launch->limits);
	if (status == 0)
		status = stage_make(&launch->stage, &launch->limits);
	if (status != 0)
		return status;
	/* No children before we are in our own control group. */
	if (read(sync, &by, 1) != 1)
		return EX_OSERR;
	launch->limits.memory_by = by;
	if (!limits_of_memory(&launch->limits))
		return child_fail("limits");
	if (launch->input >= 0 && dup2(launch->input, STDIN_FILENO) < 0)
		return child_fail("input");
	if (chdir("/") < 0)
		return child_fail("/");
	return bwrap_exec(&launch->bwrap);
}

enum sbx_err
launch_start(struct launch *launch, enum child_kind kind, struct child *ret,
    struct sbx_why *why)
{
	char *const *argv;
	enum sbx_err err = bwrap_argv(&launch->bwrap, &argv, why);

	if (err == SBX_OK)
		err = child_start(launch_body, launch, kind, ret, why);
	if (err == SBX_OK)
		err = userns_map_sandbox(ret, launch->slice, why);
	/* Which takes as long as what the child does meanwhile. */
	if (err == SBX_OK && launch->group != NULL)
		apart_put(launch->group, &launch->limits, ret->pid);
	if (err == SBX_OK && !child_tell(ret, launch->limits.memory_by)) {
		char line[320];

		child_last_line(ret, line, sizeof(line));
		return sbx_fail(why, SBX_UNAVAILABLE, "%s", line);
	}
	return err;
}

enum sbx_err
launch_run(struct launch *launch, struct sbx_why *why)
{
	cleanup_child struct child child = CHILD_INIT;
	enum sbx_err err = launch_start(launch, CHILD_ATTACHED, &child, why);
	char line[320];

	if (err != SBX_OK)
		return err;
	child_last_line(&child, line, sizeof(line));
	if (child_wait(&child) == 0)
		return SBX_OK;
	return sbx_fail(why, SBX_UNAVAILABLE, "%s",
	    *line == '\0' ? "bwrap failed without a word" : line);
}
