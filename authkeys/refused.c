/* SPDX-License-Identifier: ISC */
#include "authkeys/refused.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"

enum sbx_err
refused_put(const char *path, uid_t owner, const struct refusal *refusal)
{
	cleanup_close int fd = open(path,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK,
	    0644);
	cleanup_buf struct buf line = BUF_INIT(REFUSAL_LEN);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return SBX_IO;
	if (!S_ISREG(st.st_mode) || st.st_uid != owner || st.st_nlink != 1)
		return SBX_UNTRUSTED;
	refusal_put(refusal, &line);
	if (buf_error(&line) != SBX_OK)
		return buf_error(&line);
	return file_write_fd(fd, buf_view(&line));
}
