/* SPDX-License-Identifier: ISC */
/*
 * sandbox-init: process 1 of a local or container sandbox.
 *
 * Statically linked against libc alone, so that it runs in any image; that
 * is why it does not use common/opt, which comes with libsodium.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <sysexits.h>

#include "common/cleanup.h"
#include "init/serve.h"

struct choice {
	struct option option;
	const char *arg;
	const char *help;
};

enum {
	OPT_LISTEN = 1,
	OPT_CONTROL,
	OPT_READY,
	OPT_QUOTA,
	OPT_USAGE,
	OPT_OWN,
	OPT_FULL,
	OPT_HELP,
	OPT_VERSION
};

static const struct choice choices[] = {
	{ { "listen-fd", required_argument, NULL, OPT_LISTEN }, "N",
	    "listening socket (default 3)" },
	{ { "control-fd", required_argument, NULL, OPT_CONTROL }, "N",
	    "datagram socket that may bring another listening socket" },
	{ { "ready-fd", required_argument, NULL, OPT_READY }, "N",
	    "write one byte there once connections are accepted" },
	{ { "quota", required_argument, NULL, OPT_QUOTA }, "BYTES:FILES:FOLDER",
	    "end everything if FOLDER takes more" },
	{ { "usage", required_argument, NULL, OPT_USAGE }, "FILE",
	    "write there what FOLDER takes" },
	{ { "own", required_argument, NULL, OPT_OWN }, "UID:PATH",
	    "give PATH to this user and group first; may be repeated" },
	{ { "full", required_argument, NULL, OPT_FULL }, "FILE",
	    "make it while all connections are in use" },
	{ { "help", no_argument, NULL, OPT_HELP }, NULL, "print this" },
	{ { "version", no_argument, NULL, OPT_VERSION }, NULL,
	    "print the version" },
};

#define CHOICES (sizeof(choices) / sizeof(choices[0]))

static int
usage_error(const char *what, const char *value)
{
	(void)fprintf(stderr, "sandbox-init: %s%s: see sandbox-init --help\n",
	    what, value);
	return EX_USAGE;
}

static int
print_help(void)
{
	(void)puts("usage: sandbox-init [options] -- COMMAND [ARGUMENT...]\n"
		   "Run COMMAND for every connection to a socket, as process "
		   "1 of a sandbox.\n\noptions:");
	for (size_t i = 0; i < CHOICES; i++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s%s%s",
		    choices[i].option.name, choices[i].arg == NULL ? "" : " ",
		    choices[i].arg == NULL ? "" : choices[i].arg);
		(void)printf("  %-26s %s\n", left, choices[i].help);
	}
	return 0;
}

/* A number up to max at the start of text; *ret_end is what follows it. */
static bool
parse_number(const char *text, long max, long *ret, char **ret_end)
{
	errno = 0;
	*ret = strtol(text, ret_end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *ret <= max;
}

static bool
parse_fd(const char *text, int *ret)
{
	char *end;
	long value;

	if (!parse_number(text, INT_MAX, &value, &end) || *end != '\0')
		return false;
	*ret = (int)value;
	return true;
}

static int
set_quota(const char *text, struct quota *ret)
{
	long bytes, files;
	char *rest, *folder;

	if (!parse_number(text, LONG_MAX, &bytes, &rest) || *rest != ':' ||
	    !parse_number(rest + 1, LONG_MAX, &files, &folder) ||
	    *folder != ':' || folder[1] != '/')
		return usage_error("--quota is not BYTES:FILES:FOLDER: ", text);
	ret->max = (struct measure){ (uint64_t)bytes, (uint64_t)files };
	ret->folder = folder + 1;
	return 0;
}

static int
own(const char *text)
{
	char *path;
	long id;

	if (!parse_number(text, UINT_MAX - 1, &id, &path) || *path != ':' ||
	    path[1] != '/')
		return usage_error("--own is not UID:PATH: ", text);
	if (lchown(path + 1, (uid_t)id, (gid_t)id) < 0) {
		(void)fprintf(stderr,
		    "sandbox-init: cannot give %s to %ld: %s\n", path + 1, id,
		    strerror(errno));
		return EX_OSERR;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct serve how = { .listen_fd = 3, .control_fd = -1, .ready_fd = -1 };
	struct option longs[CHOICES + 1] = { 0 };
	int found, status;

	for (size_t i = 0; i < CHOICES; i++)
		longs[i] = choices[i].option;
	opterr = 0;
	while ((found = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (found) {
		case OPT_LISTEN:
			if (!parse_fd(optarg, &how.listen_fd))
				return usage_error(
				    "--listen-fd is no number: ", optarg);
			break;
		case OPT_CONTROL:
			if (!parse_fd(optarg, &how.control_fd))
				return usage_error(
				    "--control-fd is no number: ", optarg);
			break;
		case OPT_READY:
			if (!parse_fd(optarg, &how.ready_fd))
				return usage_error(
				    "--ready-fd is no number: ", optarg);
			break;
		case OPT_QUOTA:
			status = set_quota(optarg, &how.quota);
			if (status != 0)
				return status;
			break;
		case OPT_USAGE:
			how.quota.usage = optarg;
			break;
		case OPT_OWN:
			status = own(optarg);
			if (status != 0)
				return status;
			break;
		case OPT_FULL:
			how.full = optarg;
			break;
		case OPT_HELP:
			return print_help();
		case OPT_VERSION:
			(void)printf("sandbox-init %s\n", PACKAGE_VERSION);
			return 0;
		default:
			return usage_error(
			    "unknown option or no value for it: ",
			    argv[optind - 1]);
		}
	}
	if (optind == argc)
		return usage_error("no command given", "");
	how.command = argv + optind;
	return serve(&how);
}
