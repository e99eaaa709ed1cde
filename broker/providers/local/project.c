/* SPDX-License-Identifier: ISC */
#include "broker/providers/local/project.h"

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 1024 /* of limits */

/* By descriptor (Linux 5.14): no device has to be found. */
static bool
control(int folder, unsigned command, uint64_t project, void *data)
{
#ifdef SYS_quotactl_fd
	return syscall(SYS_quotactl_fd, folder, QCMD(command, PRJQUOTA),
		   (uint32_t)project, data) == 0;
#else
	(void)folder;
	(void)command;
	(void)project;
	(void)data;
	return false;
#endif
}

/* Without the mount option it only counts. */
static bool
is_enforced(int folder)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	return control(folder, Q_XGETQSTATV, 0, &state) &&
	    (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

void
project_assign(int folder, uint64_t project)
{
	struct fsxattr attributes;

	if (!is_enforced(folder) ||
	    ioctl(folder, FS_IOC_FSGETXATTR, &attributes) < 0)
		return;
	attributes.fsx_projid = (uint32_t)project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	(void)ioctl(folder, FS_IOC_FSSETXATTR, &attributes);
}

bool
project_has(int folder, uint64_t project)
{
	struct fsxattr attributes;

	return is_enforced(folder) &&
	    ioctl(folder, FS_IOC_FSGETXATTR, &attributes) == 0 &&
	    attributes.fsx_projid == (uint32_t)project &&
	    (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0;
}

bool
project_limit(int folder, uint64_t project, const struct box_limits *limits)
{
	struct if_dqblk quota = { .dqb_bhardlimit = limits->workspace / BLOCK,
		.dqb_bsoftlimit = limits->workspace / BLOCK,
		.dqb_ihardlimit = limits->files,
		.dqb_isoftlimit = limits->files,
		.dqb_valid = QIF_LIMITS };

	return project_has(folder, project) &&
	    control(folder, Q_SETQUOTA, project, &quota);
}

bool
project_usage(
    int folder, uint64_t project, uint64_t *ret_bytes, uint64_t *ret_files)
{
	struct if_dqblk quota;

	if (!project_has(folder, project) ||
	    !control(folder, Q_GETQUOTA, project, &quota) ||
	    quota.dqb_bhardlimit == 0)
		return false;
	*ret_bytes = quota.dqb_curspace;
	*ret_files = quota.dqb_curinodes;
	return true;
}
