/* SPDX-License-Identifier: ISC */
/*
 * libsbx.so: what the kit's sshd and scp would otherwise ask the image.
 * Loaded before the C library, it answers from the files of the sandbox's
 * box: accounts and groups, in the formats of passwd(5) and group(5).  Log
 * files and shadow passwords there are none.
 *
 * The other half is stubs.c: libraries that sshd was built with and that the
 * kit's configuration never uses.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <shadow.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "kit/base.h"
#include "kit/powerless.h"

/* As many groups as one account may be in. */
#define GROUPS_MAX 64
/* sshd's empty folder, compiled in. */
#define PRIVSEP_FOLDER "/run/sshd"

static int
kit_path(const char *rest, char ret[BASE_PATH])
{
	Dl_info info;

	return dladdr((void *)&kit_path, &info) != 0 &&
	    base_path(info.dli_fname, rest, ret);
}

static FILE *
open_box(const char *name)
{
	char path[BASE_PATH];

	return kit_path(name, path) ? fopen(path, "re") : NULL;
}

/* --- accounts */

static FILE *accounts;

void
setpwent(void)
{
	endpwent();
	accounts = open_box("box/passwd");
}

struct passwd *
getpwent(void)
{
	struct passwd *pw;

	if (accounts == NULL)
		setpwent();
	pw = accounts == NULL ? NULL : fgetpwent(accounts);
	/* sshd complains at every command of a home that is not there. */
	if (pw != NULL && access(pw->pw_dir, X_OK) < 0 && errno != EACCES)
		pw->pw_dir = (char *)"/";
	return pw;
}

void
endpwent(void)
{
	if (accounts != NULL)
		(void)fclose(accounts);
	accounts = NULL;
}

struct passwd *
getpwnam(const char *name)
{
	struct passwd *pw;

	setpwent();
	do
		pw = getpwent();
	while (pw != NULL && strcmp(pw->pw_name, name) != 0);
	endpwent();
	return pw;
}

struct passwd *
getpwuid(uid_t uid)
{
	struct passwd *pw;

	setpwent();
	do
		pw = getpwent();
	while (pw != NULL && pw->pw_uid != uid);
	endpwent();
	return pw;
}

/* No password, no expiry: what may log in is the gate's to say. */
struct spwd *
getspnam(const char *name)
{
	(void)name;
	return NULL;
}

/* --- groups */

struct group *
getgrnam(const char *name)
{
	FILE *groups = open_box("box/group");
	struct group *gr = NULL;

	while (groups != NULL && (gr = fgetgrent(groups)) != NULL &&
	    strcmp(gr->gr_name, name) != 0)
		;
	if (groups != NULL)
		(void)fclose(groups);
	return gr;
}

struct group *
getgrgid(gid_t gid)
{
	FILE *groups = open_box("box/group");
	struct group *gr = NULL;

	while (groups != NULL && (gr = fgetgrent(groups)) != NULL &&
	    gr->gr_gid != gid)
		;
	if (groups != NULL)
		(void)fclose(groups);
	return gr;
}

static int
is_member(const struct group *gr, const char *name)
{
	for (char **member = gr->gr_mem; *member != NULL; member++) {
		if (strcmp(*member, name) == 0)
			return 1;
	}
	return 0;
}

int
getgrouplist(const char *name, gid_t first, gid_t *ret, int *count)
{
	FILE *groups = open_box("box/group");
	struct group *gr;
	int room = *count, n = 0;

	if (n++ < room)
		ret[0] = first;
	while (groups != NULL && (gr = fgetgrent(groups)) != NULL) {
		if (gr->gr_gid == first || !is_member(gr, name))
			continue;
		if (n < room)
			ret[n] = gr->gr_gid;
		n++;
	}
	if (groups != NULL)
		(void)fclose(groups);
	*count = n;
	return n <= room ? n : -1;
}

int
initgroups(const char *name, gid_t first)
{
	gid_t list[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (getgrouplist(name, first, list, &count) < 0) {
		errno = EINVAL;
		return -1;
	}
	return setgroups((size_t)count, list);
}

/* --- folders and files that the image might have */

/*
 * sshd's empty folder is the kit's; nobody is kept out by the image's
 * /etc/nologin, and its sshrc does not run.
 */
static int
other_path(const char *path, char ret[BASE_PATH])
{
	if (strcmp(path, PRIVSEP_FOLDER) == 0)
		return kit_path("empty", ret);
	if (strcmp(path, "/etc/nologin") == 0 ||
	    strcmp(path, "/etc/ssh/sshrc") == 0)
		return kit_path("none", ret);
	return 0;
}

int
stat(const char *restrict path, struct stat *restrict ret)
{
	char other[BASE_PATH];

	return fstatat(
	    AT_FDCWD, other_path(path, other) ? other : path, ret, 0);
}

int
chroot(const char *path)
{
	char other[BASE_PATH];

	if (syscall(SYS_chroot, other_path(path, other) ? other : path) == 0)
		return 0;
	return forgive(errno);
}

/* Sessions are written down nowhere: those files are the image's. */
void
login(const struct utmp *entry)
{
	(void)entry;
}

int
logout(const char *line)
{
	(void)line;
	return 1;
}

void
logwtmp(const char *line, const char *name, const char *host)
{
	(void)line, (void)name, (void)host;
}

struct tm *
localtime_r(const time_t *restrict when, struct tm *restrict ret)
{
	return gmtime_r(when, ret);
}

struct tm *
localtime(const time_t *when)
{
	return gmtime(when);
}

/* --- names */

/*
 * sshd asks for "any address" although it will not listen; the C library
 * would read gai.conf and look for nscd.  Everything else is a session's
 * forwarding, which sees the network as the image does.
 */
int
getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	int (*next)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
	struct {
		struct addrinfo info; /* freeaddrinfo() frees it at once */
		struct sockaddr_in address;
	} * any;

	if (node != NULL || hints == NULL ||
	    (hints->ai_flags & AI_PASSIVE) == 0) {
		*(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
		return next == NULL ? EAI_SYSTEM
				    : next(node, service, hints, ret);
	}
	any = calloc(1, sizeof(*any));
	if (any == NULL)
		return EAI_MEMORY;
	any->address.sin_family = AF_INET;
	any->info = (struct addrinfo){
		.ai_flags = hints->ai_flags,
		.ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
		.ai_addrlen = sizeof(any->address),
		.ai_addr = (struct sockaddr *)&any->address,
	};
	*ret = &any->info;
	return 0;
}

/* --- what a process without any capability cannot do and need not */

int
setgroups(size_t count, const gid_t *list)
{
	return syscall(SYS_setgroups, count, list) == 0 ? 0 : forgive(errno);
}

int
chown(const char *path, uid_t uid, gid_t gid)
{
	return fchownat(AT_FDCWD, path, uid, gid, 0);
}

int
fchownat(int fd, const char *path, uid_t uid, gid_t gid, int flags)
{
	return syscall(SYS_fchownat, fd, path, uid, gid, flags) == 0
	    ? 0
	    : forgive(errno);
}

int
fchown(int fd, uid_t uid, gid_t gid)
{
	return syscall(SYS_fchown, fd, uid, gid) == 0 ? 0 : forgive(errno);
}
