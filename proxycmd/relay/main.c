/* SPDX-License-Identifier: ISC */
/*
 * sandbox-relay: connects to a tls, wss or ws endpoint for sandbox-proxy and
 * carries ssh's bytes there.  Standard input is one end of a pair of
 * sockets, whose other end ssh gets; standard output takes one line, "ok" or
 * the name of an error and its text, and is closed.
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/opt.h"
#include "net/token.h"
#include "proxycmd/relay/carry.h"
#include "proxycmd/relay/plan.h"

static struct options {
	char config[FIELD_TEXT];
	char name[FIELD_TEXT];
} options;

static const struct opt option_table[] = {
	{ 0, "FILE",
	    { "config", field_path, 0, 0, 0, NULL,
		"configuration, instead of the user's and the system's",
		NULL } },
	{ 0, "NAME",
	    { "name", field_text, offsetof(struct options, name), 0, 0, NULL,
		"the sandbox, whose broker may get a token", NULL } },
};

static enum sbx_err
open_tunnel(const char *text, struct link **ret, struct sbx_why *why)
{
	char token[FIELD_TEXT] = "";
	struct endpoint endpoint;
	struct settings settings;
	struct link_request request;
	struct paths paths;
	enum sbx_err err = paths_find(&paths, why);

	if (err == SBX_OK)
		err = endpoint_parse(text, &endpoint, why);
	if (err == SBX_OK)
		err = settings_read(&paths,
		    options.config[0] == '\0' ? NULL : options.config,
		    &settings, why);
	if (err == SBX_OK)
		err = settings_choose(&settings, options.name, why);
	if (err == SBX_OK)
		err = tunnel_plan(&endpoint, &settings, &request, why);
	if (err != SBX_OK)
		return err;
	if (tunnel_is_broker(&endpoint, settings.broker.url)) {
		err = token_find(&settings, token, why);
		request.bearer = token;
	}
	if (err == SBX_OK)
		err = link_open(&request, ret, why);
	sodium_memzero(token, sizeof(token));
	sodium_memzero(&settings, sizeof(settings));
	return err;
}

/* One write, so that it is read whole. */
static bool
report(enum sbx_err err, const struct sbx_why *why)
{
	char line[SBX_WHY_MAX + 64];
	int n = snprintf(line, sizeof(line), "%s %s", sbx_err_name(err),
	    err == SBX_OK ? "" : sbx_why_text(why, err));

	for (char *c = line; *c != '\0'; c++) {
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	}
	line[n++] = '\n';
	return file_write_fd(STDOUT_FILENO, VIEW(line, n)) == SBX_OK;
}

/* From here on ssh is all that holds us. */
static bool
settle(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	return null >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	    dup2(null, STDERR_FILENO) >= 0 && chdir("/") == 0;
}

static bool
is_socket(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

int
main(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-relay",
		.args = "[--config FILE] [--name NAME] ENDPOINT",
		.summary = "Carry ssh's bytes to a tls or wss endpoint.",
		.options = option_table,
		.option_count = 2 };
	struct link *link = NULL;
	struct sbx_why why = { "" };
	enum sbx_err err;
	enum opt_result result;
	int first = 0;

	log_init(argv[0]);
	result = opt_parse(&usage, argc, argv, &options, &first);
	if (result != OPT_RUN)
		return opt_status(result);
	if (argc - first != 1 || !is_socket(STDIN_FILENO)) {
		log_error("sandbox-relay takes one endpoint and a socket as "
			  "standard input: sandbox-proxy runs it");
		return EX_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		err = SBX_INTERNAL;
	else
		err = open_tunnel(argv[first], &link, &why);
	/* sandbox-proxy ends now; until here it took us with it. */
	if (err == SBX_OK && prctl(PR_SET_PDEATHSIG, 0) < 0)
		err = SBX_INTERNAL;
	if (!report(err, &why) || err != SBX_OK || !settle()) {
		link_free(link);
		return sbx_err_exit(err);
	}
	curl_global_cleanup();
	err = carry_run(STDIN_FILENO, link);
	link_free(link);
	return sbx_err_exit(err);
}
