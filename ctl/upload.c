/* SPDX-License-Identifier: ISC */
#include "ctl/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "ctl/beside.h"
#include "ctl/inside.h"

static void
close_folder(DIR **folder)
{
	if (*folder != NULL)
		(void)closedir(*folder);
}

#define cleanup_folder __attribute__((cleanup(close_folder)))

static enum sbx_err
open_folder(const char *path, DIR **ret, struct sbx_why *why)
{
	*ret = opendir(path);
	if (*ret == NULL)
		return sbx_fail(why, SBX_USAGE, "--upload: %.160s: %s", path,
		    strerror(errno));
	return SBX_OK;
}

enum sbx_err
upload_check(const char *path, struct sbx_why *why)
{
	cleanup_folder DIR *folder = NULL;

	return open_folder(path, &folder, why);
}

/*
 * The names in it for tar, each with a NUL: "." itself would give the workspace
 * the mode of the folder.
 */
static enum sbx_err
list(const char *path, int *ret_fd, struct sbx_why *why)
{
	cleanup_folder DIR *folder = NULL;
	cleanup_close int fd = memfd_create("names", MFD_CLOEXEC);
	const struct dirent *entry;
	enum sbx_err err = open_folder(path, &folder, why);

	if (err != SBX_OK)
		return err;
	while (fd >= 0 && (entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (dprintf(fd, "./%s%c", entry->d_name, '\0') < 0)
			return SBX_IO;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return SBX_IO;
	*ret_fd = steal_fd(&fd);
	return SBX_OK;
}

static enum sbx_err
pack(const char *folder, int out, pid_t *ret, struct sbx_why *why)
{
	cleanup_close int names = -1;
	const char *const argv[] = { "tar", "-C", folder, "-cf", "-", "--null",
		"-T", "-", NULL };
	enum sbx_err err = list(folder, &names, why);
	const struct beside tar = { argv, names, out, -1, /* deaf= */ false };

	return err != SBX_OK ? err : beside_start(&tar, ret, why);
}

enum sbx_err
upload_run(const char *folder, const char *ssh[], struct sbx_why *why)
{
	cleanup_buf struct buf command = BUF_INIT(INSIDE_MAX);
	cleanup_close int in = -1, out = -1;
	pid_t packer = 0, unpacker = 0;
	int ends[2], packed = 0, unpacked = 0;
	size_t last = 0;
	enum sbx_err err;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return SBX_IO;
	in = ends[0];
	out = ends[1];
	inside_unpack(&command);
	while (ssh[last + 1] != NULL)
		last++;
	ssh[last] = buf_text(&command);
	err = pack(folder, out, &packer, why);
	(void)close(steal_fd(&out));
	if (err == SBX_OK)
		err = beside_start(
		    &(struct beside){ ssh, in, -1, -1, /* deaf= */ false },
		    &unpacker, why);
	(void)close(steal_fd(&in));
	if (unpacker != 0)
		unpacked = beside_wait(unpacker);
	if (packer != 0)
		packed = beside_wait(packer);
	if (err == SBX_OK && (packed != 0 || unpacked != 0))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "%.160s could not be uploaded as a whole", folder);
	return err;
}
