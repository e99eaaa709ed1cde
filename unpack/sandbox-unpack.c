/* SPDX-License-Identifier: ISC */
/*
 * sandbox-unpack: a root file system out of a tar that nobody vouches for.
 *
 * The provider runs it where the folder is all that it could harm, with no
 * power but over the sandbox's own ids.  All the same it goes into that folder
 * for good before it looks at the first byte.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/opt.h"

#define READ_SIZE 65536
/* A decompressor wants at most 128 MiB of window. */
#define MEMORY_MAX (512UL << 20)

struct options {
	uint64_t max_bytes;
	uint64_t max_files;
	uint64_t ids;
};

#define AT(m) offsetof(struct options, m)

static const struct opt option_table[] = {
	{ 0, "N",
	    { "max-bytes", field_uint, AT(max_bytes), 1, 0, "1073741824",
		"unpack no more bytes than that", NULL } },
	{ 0, "N",
	    { "max-files", field_uint, AT(max_files), 1, 0, "65536",
		"unpack no more files and folders than that", NULL } },
	{ 0, "N",
	    { "ids", field_uint, AT(ids), 1, UINT32_MAX, "2048",
		"what belongs to a user or group from N on becomes root's",
		NULL } },
};

static const struct usage usage = {
	.program = "sandbox-unpack",
	.args = "[options] FOLDER",
	.summary = "Unpack the tar on standard input into FOLDER.",
	.options = option_table,
	.option_count = sizeof(option_table) / sizeof(option_table[0]),
};

static enum sbx_err
fail_archive(struct archive *a, const char *what, struct sbx_why *why)
{
	const char *text = archive_error_string(a);

	return sbx_fail(why, SBX_BAD_VALUE, "%s: %.200s", what,
	    text == NULL ? "not a tar" : text);
}

/* One that the library was built without would be a program: none is here. */
static struct archive *
open_reader(void)
{
	struct archive *a = archive_read_new();

	if (a == NULL)
		return NULL;
	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_zstd(a);
	return a;
}

static struct archive *
open_writer(void)
{
	struct archive *a = archive_write_disk_new();

	if (a != NULL)
		(void)archive_write_disk_set_options(a,
		    ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM |
			ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
			ARCHIVE_EXTRACT_SECURE_NODOTDOT);
	return a;
}

/* Below the folder, whatever it was below. */
static const char *
relative(const char *path)
{
	while (*path == '/')
		path++;
	return *path == '\0' ? "." : path;
}

/* Devices, sockets and pipes are no files of a distribution's. */
static bool
is_wanted(struct archive_entry *entry)
{
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
	case AE_IFDIR:
	case AE_IFLNK:
		return true;
	default:
		return archive_entry_hardlink(entry) != NULL;
	}
}

static void
make_ours(struct archive_entry *entry, const struct options *options)
{
	const char *link = archive_entry_hardlink(entry);

	archive_entry_copy_pathname(
	    entry, relative(archive_entry_pathname(entry)));
	if (link != NULL)
		archive_entry_copy_hardlink(entry, relative(link));
	if ((uint64_t)archive_entry_uid(entry) >= options->ids)
		archive_entry_set_uid(entry, 0);
	if ((uint64_t)archive_entry_gid(entry) >= options->ids)
		archive_entry_set_gid(entry, 0);
	/* By number only: names mean nothing here. */
	archive_entry_set_uname(entry, NULL);
	archive_entry_set_gname(entry, NULL);
	archive_entry_set_perm(
	    entry, archive_entry_perm(entry) & ~(mode_t)(S_ISUID | S_ISGID));
}

static enum sbx_err
copy_data(struct archive *from, struct archive *to, struct sbx_why *why)
{
	const void *bytes;
	size_t len;
	la_int64_t offset;
	int status;

	while ((status = archive_read_data_block(
		    from, &bytes, &len, &offset)) == ARCHIVE_OK) {
		if (archive_write_data_block(to, bytes, len, offset) < 0)
			return sbx_fail(
			    why, SBX_IO, "%.200s", archive_error_string(to));
	}
	return status == ARCHIVE_EOF
	    ? SBX_OK
	    : fail_archive(from, "the tar is damaged", why);
}

/* What they take on disk, by what they say: holes count. */
struct total {
	uint64_t bytes, files;
};

static enum sbx_err
check_files(const struct options *options, const struct total *total,
    struct sbx_why *why)
{
	return total->files <= options->max_files
	    ? SBX_OK
	    : sbx_fail(why, SBX_TOO_LARGE,
		  "it has more than %llu files, which is the limit",
		  (unsigned long long)options->max_files);
}

static enum sbx_err
count(struct archive_entry *entry, const struct options *options,
    struct total *total, struct sbx_why *why)
{
	la_int64_t size = archive_entry_size(entry);

	if (size < 0 || (uint64_t)size > options->max_bytes - total->bytes)
		return sbx_fail(why, SBX_TOO_LARGE,
		    "it has more than %llu MiB, which is the limit",
		    (unsigned long long)options->max_bytes >> 20);
	total->bytes += (uint64_t)size;
	total->files++;
	return check_files(options, total, why);
}

/*
 * The folders on the way to it that no entry has named: the library makes them,
 * and one name may stand for thousands.  No link is followed in making them.
 */
static enum sbx_err
count_parents(const char *path, const struct options *options,
    struct total *total, struct sbx_why *why)
{
	char at[PATH_MAX];
	struct stat st;
	char *end;

	if (strlen(path) >= sizeof(at))
		return sbx_fail(why, SBX_TOO_LARGE,
		    "it has a name of more than %zu bytes", sizeof(at) - 1);
	(void)snprintf(at, sizeof(at), "%s", path);
	while ((end = strrchr(at, '/')) != NULL) {
		*end = '\0';
		if (lstat(at, &st) == 0)
			break;
		total->files++;
	}
	return check_files(options, total, why);
}

static enum sbx_err
take_entry(struct archive *from, struct archive *to,
    struct archive_entry *entry, const struct options *options,
    struct total *total, struct sbx_why *why)
{
	enum sbx_err err;

	if (archive_entry_pathname(entry) == NULL)
		return fail_archive(from, "a name in the tar", why);
	if (!is_wanted(entry))
		return SBX_OK;
	err = count(entry, options, total, why);
	if (err != SBX_OK)
		return err;
	make_ours(entry, options);
	err = count_parents(archive_entry_pathname(entry), options, total, why);
	if (err != SBX_OK)
		return err;
	if (archive_write_header(to, entry) < ARCHIVE_WARN)
		return fail_archive(to, "cannot unpack", why);
	err = archive_entry_size(entry) > 0 ? copy_data(from, to, why) : SBX_OK;
	if (err == SBX_OK && archive_write_finish_entry(to) < ARCHIVE_WARN)
		err = fail_archive(to, "cannot unpack", why);
	return err;
}

static enum sbx_err
unpack(struct archive *from, struct archive *to, const struct options *options,
    struct sbx_why *why)
{
	struct total total = { 0, 0 };
	struct archive_entry *entry;
	enum sbx_err err = SBX_OK;
	int status = ARCHIVE_EOF;

	while (err == SBX_OK &&
	    (status = archive_read_next_header(from, &entry)) >= ARCHIVE_WARN &&
	    status != ARCHIVE_EOF)
		err = take_entry(from, to, entry, options, &total, why);
	if (err == SBX_OK && status != ARCHIVE_EOF)
		return fail_archive(from, "it is no tar, or damaged", why);
	if (err == SBX_OK && total.files == 0)
		return sbx_fail(why, SBX_BAD_VALUE, "the tar is empty");
	/* Modes and times of folders come last. */
	if (err == SBX_OK && archive_write_close(to) < ARCHIVE_WARN)
		return fail_archive(to, "cannot unpack", why);
	return err;
}

static enum sbx_err
enter(const char *folder, const struct options *options, struct sbx_why *why)
{
	const struct rlimit size = { options->max_bytes, options->max_bytes };
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	if (chdir(folder) < 0 || chroot(".") < 0)
		return sbx_fail(why, SBX_IO, "cannot enter %s: %s", folder,
		    strerror(errno));
	if (setrlimit(RLIMIT_FSIZE, &size) < 0 ||
	    setrlimit(RLIMIT_DATA, &memory) < 0)
		return sbx_fail(
		    why, SBX_IO, "cannot set limits: %s", strerror(errno));
	(void)umask(0);
	return SBX_OK;
}

int
main(int argc, char **argv)
{
	static const struct operands want = { 1, 1, "FOLDER" };
	struct options options = { 0 };
	struct sbx_why why = { "" };
	struct archive *from, *to;
	int first = 0;
	enum opt_result result;
	enum sbx_err err;

	log_init(usage.program);
	result = opt_parse(&usage, argc, argv, &options, &first);
	if (result == OPT_RUN)
		result = opt_operands(&usage, argc, argv, first, &want);
	if (result != OPT_RUN)
		return opt_status(result);
	err = enter(argv[first], &options, &why);
	if (err != SBX_OK)
		return log_failure(err, &why);
	from = open_reader();
	to = open_writer();
	if (from == NULL || to == NULL)
		err = SBX_NOMEM;
	else if (archive_read_open_fd(from, STDIN_FILENO, READ_SIZE) !=
	    ARCHIVE_OK)
		err = fail_archive(from, "it is no tar, or damaged", &why);
	else
		err = unpack(from, to, &options, &why);
	(void)archive_read_free(from);
	(void)archive_write_free(to);
	return err == SBX_OK ? 0 : log_failure(err, &why);
}
