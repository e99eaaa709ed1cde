/* SPDX-License-Identifier: ISC */
/*
 * sandbox-proxy: the plug-ins that ssh runs (prepare, connect), and the
 * lines of ssh_config that make it run them (print-config, setup).
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/opt.h"
#include "common/paths.h"
#include "proxycmd/setup/config_text.h"
#include "proxycmd/agent.h"
#include "proxycmd/connect.h"
#include "proxycmd/doctor/doctor.h"
#include "proxycmd/dial/handoff.h"
#include "proxycmd/fdpass.h"
#include "proxycmd/host_key.h"
#include "proxycmd/hosts.h"
#include "proxycmd/known.h"
#include "proxycmd/prepare.h"
#include "proxycmd/dial/pump.h"
#include "proxycmd/setup/setup.h"
#include "proxycmd/voice.h"

#define SNIPPET DATADIR "/sandbox-ssh/ssh_config.d/sandbox.conf"
#define PROGRAM BINDIR "/sandbox-proxy"

/* The options before the command; "" where none was given. */
static struct {
	char cache[FIELD_TEXT];
	char config[FIELD_TEXT];
	char suffix[FIELD_TEXT];
} options;

static enum sbx_err
field_suffix(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	if (!name_is_suffix(text))
		return sbx_fail(why, SBX_BAD_VALUE,
		    "%s = '%.80s' is not a suffix like sandbox or sandbox.corp",
		    field->name, text);
	return field_text(field, text, object, why);
}

#define FIELD(name, parse, type, member, def, help)                        \
	{                                                                  \
		name, parse, offsetof(type, member), 0, 0, def, help, NULL \
	}
#define GLOBAL(name, parse, member, def, help) \
	FIELD(name, parse, __typeof__(options), member, def, help)

static const struct opt global_options[] = {
	{ 0, "DIR",
	    GLOBAL("cache", field_path, cache, NULL,
		"credentials, instead of ~/.cache/sandbox-ssh") },
	{ 0, "FILE",
	    GLOBAL("config", field_path, config, NULL,
		"configuration, instead of the user's and the system's") },
	{ 0, "S",
	    GLOBAL("suffix", field_suffix, suffix, NAME_SUFFIX_DEFAULT,
		"what the names of sandboxes end in") },
};

/* What prepare and connect both need. */
struct target {
	struct paths paths;
	char program[PATHS_MAX]; /* sandbox-resolve */
	char relay[PATHS_MAX];	 /* sandbox-relay */
	const char *cache;
	char origin[ORIGIN_LEN];
	struct alias alias;
	struct delegate delegate;
	struct dial_setup dial;
};

/*
 * ssh expands the home folder's name as if it stood in its configuration, and
 * there is no way to write it so that it does not.
 */
static enum sbx_err
check_home(const struct paths *paths, struct sbx_why *why)
{
	if (strchr(paths->home, '%') == NULL &&
	    strstr(paths->home, "${") == NULL)
		return SBX_OK;
	return sbx_fail(why, SBX_CONFIG,
	    "ssh cannot use keys below %.200s, since it expands %% and ${: "
	    "keep them elsewhere, see --cache in sandbox-proxy(1)",
	    paths->home);
}

/*
 * name may be NULL.  Which labels are a provider, and which a domain of the
 * configuration, only sandbox-resolve needs to know.
 */
static enum sbx_err
find_target(const char *name, struct target *ret, struct sbx_why *why)
{
	enum sbx_err err = name == NULL
	    ? SBX_OK
	    : name_parse_long_alias(name, options.suffix, &ret->alias, why);
	const char *config = *options.config == '\0' ? NULL : options.config;
	bool other_suffix = strcmp(options.suffix, NAME_SUFFIX_DEFAULT) != 0;

	if (err == SBX_OK)
		err = paths_find(&ret->paths, why);
	if (err == SBX_OK && *options.cache == '\0')
		err = check_home(&ret->paths, why);
	if (err == SBX_OK)
		err = paths_join(
		    ret->paths.libexec, "sandbox-resolve", ret->program);
	if (err == SBX_OK)
		err =
		    paths_join(ret->paths.libexec, "sandbox-relay", ret->relay);
	ret->cache = *options.cache == '\0' ? ret->paths.cache : options.cache;
	if (err == SBX_OK)
		origin_find(&ret->paths, config, ret->origin);
	ret->delegate = (struct delegate){ .program = ret->program,
		.cache = options.cache,
		.config = options.config,
		.suffix = other_suffix ? options.suffix : "" };
	ret->dial = (struct dial_setup){ .paths = &ret->paths,
		.name = name,
		.config = config,
		.relay = ret->relay };
	return err;
}

/*
 * Parse a command's own options; false when it has ended with *ret_status,
 * also for another number of operands than min to max.
 */
static bool
start(const struct usage *usage, int argc, char **argv, int min, int max,
    void *values, int *ret_first, int *ret_status)
{
	const struct operands want = { min, max, "ALIAS" };
	enum opt_result result =
	    opt_parse(usage, argc, argv, values, ret_first);

	if (result == OPT_RUN)
		result = opt_operands(usage, argc, argv, *ret_first, &want);
	if (result != OPT_RUN)
		*ret_status = opt_status(result);
	return result == OPT_RUN;
}

struct prepare_options {
	bool no_agent;
};

static const struct opt prepare_options[] = {
	{ 0, NULL,
	    FIELD("no-agent", field_bool, struct prepare_options, no_agent,
		NULL, "fail, too, if ssh needs the ssh-agent") },
};

/* Does ssh, our parent, need an agent that is there to be asked? */
static bool
needs_agent(const struct target *target, const struct session *session)
{
	const char *socket = getenv("SSH_AUTH_SOCK");

	if (!agent_has_key(target->cache, &target->alias, session) &&
	    !agent_is_forwarded(getppid(), target->paths.home))
		return false;
	/* Without one it is IdentityAgent that names it. */
	return socket == NULL || *socket == '\0' ||
	    agent_answers(socket, AGENT_TIME);
}

/* A failure is not told: ssh goes on to connect, which tells it once. */
static int
command_prepare(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-proxy prepare",
		.args = "[--no-agent] ALIAS",
		.summary = "Make sure that ALIAS has credentials.",
		.options = prepare_options,
		.option_count = 1 };
	struct prepare_options own = { 0 };
	struct prepare_request request;
	struct target target;
	struct session session;
	struct shell shell;
	enum sbx_err err;
	int first, status;

	if (!start(&usage, argc, argv, 1, 1, &own, &first, &status))
		return status;
	/* "ssh -G" of sandbox-resolve, which has the lock that we would want.
	 */
	if (getenv(DELEGATE_PROBE) != NULL)
		return 1;
	err = find_target(argv[first], &target, NULL);
	shell_find(&shell);
	request = (struct prepare_request){ target.cache, &target.alias,
		target.origin, &shell, own.no_agent ? getppid() : 0,
		(uint64_t)time(NULL), &target.delegate };
	if (err == SBX_OK)
		err = prepare_run(&request, &session, &status, NULL);
	if (err != SBX_OK || status != 0)
		return err != SBX_OK ? sbx_err_exit(err) : status;
	return own.no_agent && needs_agent(&target, &session) ? 1 : 0;
}

struct connect_options {
	bool fdpass;
};

static const struct opt connect_options[] = {
	{ 0, NULL,
	    FIELD("fdpass", field_bool, struct connect_options, fdpass, NULL,
		"hand the connection over (ProxyUseFdpass)") },
};

/*
 * A client that lets us inherit its own end of our standard input (libssh)
 * would, when it is killed, leave us waiting for that for ever.  fd comes
 * back as another number.
 */
static int
close_others(int fd)
{
	const int first = STDERR_FILENO + 1;

	if (fd != first && dup3(fd, first, O_CLOEXEC) < 0)
		return fd;
	(void)close_range((unsigned)first + 1, UINT_MAX, 0);
	return first;
}

/* Before anybody dials, or wakes a sandbox, for one who cannot take it. */
static enum sbx_err
check_reader(const struct connect_request *request, struct sbx_why *why)
{
	enum handoff_reader reader = handoff_look(STDOUT_FILENO);

	return reader == HANDOFF_READY
	    ? SBX_OK
	    : connect_lost(request, reader == HANDOFF_BLIND, why);
}

static enum sbx_err
hand_over(const struct connect_request *request, int fd, struct sbx_why *why)
{
	enum sbx_err err = handoff_send(STDOUT_FILENO, fd, why);

	return err == SBX_UNAVAILABLE
	    ? connect_lost(request, /* certain= */ false, why)
	    : err;
}

/*
 * What the shell printed may lack the end of its line, and the server's first
 * line must be one; ssh reads over those before it.
 */
static enum sbx_err
begin_line(const struct connect_request *request, struct sbx_why *why)
{
	if (!fdpass_is_off(request->cache, NULL) ||
	    file_write_fd(STDOUT_FILENO, VIEW_STR("\n")) == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_IO, "cannot write to ssh");
}

static int
command_connect(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-proxy connect",
		.args = "[--fdpass] ALIAS [PORT]",
		.summary = "Connect to ALIAS, waking it if need be.",
		.options = connect_options,
		.option_count = 1 };
	struct connect_options own = { 0 };
	struct connect_request request;
	struct target target;
	struct sbx_why why = { "" };
	cleanup_close int fd = -1;
	enum sbx_err err;
	int first, status, voice;
	bool wanted;

	if (!start(&usage, argc, argv, 1, 2, &own, &first, &status))
		return status;
	voice = voice_borrow(getppid());
	/* A reader that went away is an error of write(), in both modes. */
	(void)signal(SIGPIPE, SIG_IGN);
	wanted = own.fdpass;
	err = find_target(argv[first], &target, &why);
	if (err == SBX_OK && own.fdpass)
		err = handoff_check(STDOUT_FILENO, &own.fdpass, &why);
	request = (struct connect_request){ target.cache, &target.alias,
		target.origin, &target.delegate, &target.dial,
		(uint64_t)time(NULL) };
	if (err == SBX_OK && own.fdpass)
		err = check_reader(&request, &why);
	if (err == SBX_OK)
		err = connect_open(&request, &fd, &status, &why);
	if (err == SBX_OK && status != 0)
		return status;
	if (err == SBX_OK && own.fdpass)
		err = hand_over(&request, fd, &why);
	else if (err == SBX_OK && wanted)
		err = begin_line(&request, &why);
	if (err == SBX_OK)
		voice_return(voice);
	if (err == SBX_OK && !own.fdpass)
		err = pump_run(STDIN_FILENO, STDOUT_FILENO,
		    close_others(steal_fd(&fd)), &why);
	return err == SBX_OK ? 0 : log_failure(err, &why);
}

static int
print(const struct buf *text)
{
	if (buf_error(text) == SBX_OK &&
	    file_write_fd(STDOUT_FILENO, buf_view(text)) == SBX_OK)
		return 0;
	log_error("cannot write to standard output");
	return EX_IOERR;
}

static int
command_host_key(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-proxy host-key",
		.args = "ALIAS TYPE KEY",
		.summary = "Say whether that is ALIAS's host key by now." };
	cleanup_buf struct buf line = BUF_INIT(HOST_KEY_MAX);
	struct host_key_request request;
	struct target target;
	struct sbx_why why = { "" };
	enum sbx_err err;
	int first, status;

	if (!start(&usage, argc, argv, 3, 3, NULL, &first, &status))
		return status;
	err = find_target(argv[first], &target, &why);
	request = (struct host_key_request){ target.cache, &target.alias,
		argv[first + 1], argv[first + 2], &target.delegate };
	if (err == SBX_OK)
		err = host_key_put(&request, &line, &status, &why);
	if (err != SBX_OK)
		return log_failure(err, &why);
	return status != 0 ? status : print(&line);
}

struct print_options {
	char program[FIELD_TEXT];
	bool stdio;
};

static const struct opt print_options[] = {
	{ 0, "FILE",
	    FIELD("program", field_path, struct print_options, program, NULL,
		"sandbox-proxy as ssh is to find it") },
	{ 0, NULL,
	    FIELD("stdio", field_bool, struct print_options, stdio, NULL,
		"for clients that are not OpenSSH") },
};

/*
 * As installed if that is us, otherwise where we are.  Never the bare name:
 * ssh runs it through the user's shell, whose PATH may not have it.
 */
static enum sbx_err
find_program(char ret[static FIELD_TEXT], struct sbx_why *why)
{
	struct stat installed, self;
	ssize_t len;

	if (stat("/proc/self/exe", &self) == 0 &&
	    stat(PROGRAM, &installed) == 0 && self.st_dev == installed.st_dev &&
	    self.st_ino == installed.st_ino) {
		(void)snprintf(ret, FIELD_TEXT, "%s", PROGRAM);
		return SBX_OK;
	}
	len = readlink("/proc/self/exe", ret, FIELD_TEXT);
	if (len < 0 || len == FIELD_TEXT)
		return sbx_fail(why, SBX_CONFIG,
		    "cannot tell where sandbox-proxy is: say it with "
		    "--program");
	ret[len] = '\0';
	return SBX_OK;
}

static int
command_print_config(int argc, char **argv)
{
	static const struct usage usage = {
		.program = "sandbox-proxy print-config",
		.args = "[--program FILE] [--stdio]",
		.summary = "Print the lines for ssh_config(5).",
		.options = print_options,
		.option_count = sizeof(print_options) / sizeof(print_options[0])
	};
	cleanup_buf struct buf text = BUF_INIT(CONFIG_TEXT_MAX);
	struct print_options own = { .program = "" };
	struct config_text config = { .program = own.program,
		.cache = options.cache,
		.config = options.config,
		.suffix = options.suffix };
	struct sbx_why why = { "" };
	enum sbx_err err = SBX_OK;
	int first, status;

	if (!start(&usage, argc, argv, 0, 0, &own, &first, &status))
		return status;
	config.stdio = own.stdio;
	if (*own.program == '\0')
		err = find_program(own.program, &why);
	if (err == SBX_OK)
		err = config_text_put(&config, &text, &why);
	return err == SBX_OK ? print(&text) : log_failure(err, &why);
}

struct setup_options {
	bool dry_run;
	bool remove;
	char file[FIELD_TEXT];
	char include[FIELD_TEXT];
};

static const struct opt setup_options[] = {
	{ 0, NULL,
	    FIELD("dry-run", field_bool, struct setup_options, dry_run, NULL,
		"print the change instead of making it") },
	{ 0, NULL,
	    FIELD("remove", field_bool, struct setup_options, remove, NULL,
		"take the line out again") },
	{ 0, "FILE",
	    FIELD("file", field_path, struct setup_options, file, NULL,
		"edit this, instead of ~/.ssh/config") },
	{ 0, "FILE",
	    FIELD("include", field_path, struct setup_options, include, SNIPPET,
		"the snippet") },
};

static int
command_setup(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-proxy setup",
		.args = "[--dry-run] [--remove] [--file FILE] [--include FILE]",
		.summary = "Make ssh use sandbox-proxy: one Include line.",
		.options = setup_options,
		.option_count =
		    sizeof(setup_options) / sizeof(setup_options[0]) };
	cleanup_buf struct buf report = BUF_INIT(SETUP_REPORT_MAX);
	struct setup_options own = { 0 };
	struct setup_request request = { .file = own.file,
		.snippet = own.include };
	struct paths paths;
	struct sbx_why why = { "" };
	enum sbx_err err = SBX_OK;
	int first, status;

	if (!start(&usage, argc, argv, 0, 0, &own, &first, &status))
		return status;
	request.remove = own.remove;
	request.dry_run = own.dry_run;
	if (*own.file == '\0')
		err = paths_find(&paths, &why);
	/* Any other snippet may have been made with --cache. */
	if (err == SBX_OK && *own.file == '\0' && !own.remove &&
	    strcmp(own.include, SNIPPET) == 0)
		err = check_home(&paths, &why);
	if (err == SBX_OK && *own.file == '\0')
		err = paths_join(paths.home, ".ssh/config", own.file);
	if (err == SBX_OK)
		err = setup_run(&request, &report, &why);
	return err == SBX_OK ? print(&report) : log_failure(err, &why);
}

struct hosts_options {
	bool heal;
	bool refresh;
	bool json;
};

static const struct opt hosts_options[] = {
	{ 0, NULL,
	    FIELD("heal", field_bool, struct hosts_options, heal, NULL,
		"make hosts.conf anew if it was damaged, and print nothing") },
	{ 0, NULL,
	    FIELD("refresh", field_bool, struct hosts_options, refresh, NULL,
		"ask the broker, unless that was done within a minute") },
	{ 0, NULL,
	    FIELD("json", field_bool, struct hosts_options, json, NULL,
		"print JSON") },
};

static int
command_hosts(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-proxy hosts",
		.args = "[--heal] [--refresh] [--json]",
		.summary = "Print the names of all sandboxes that are known.",
		.options = hosts_options,
		.option_count =
		    sizeof(hosts_options) / sizeof(hosts_options[0]) };
	cleanup_buf struct buf text = BUF_INIT(KNOWN_MAX);
	struct hosts_options own = { 0 };
	struct target target;
	struct sbx_why why = { "" };
	enum sbx_err err;
	int first, status;

	if (!start(&usage, argc, argv, 0, 0, &own, &first, &status))
		return status;
	err = find_target(NULL, &target, &why);
	if (err == SBX_OK && own.heal) {
		(void)hosts_heal(target.cache, (uint64_t)time(NULL));
		return 0;
	}
	if (err == SBX_OK && own.refresh)
		err = delegate_run(&target.delegate, /* quiet= */ false,
		    "hosts", NULL, &status, &why);
	if (err == SBX_OK && own.refresh && status != 0)
		return status;
	if (err == SBX_OK) {
		(void)hosts_heal(target.cache, (uint64_t)time(NULL));
		err = known_put(target.cache, own.json, &text, &why);
	}
	return err == SBX_OK ? print(&text) : log_failure(err, &why);
}

struct doctor_options {
	bool json;
	char file[FIELD_TEXT];
};

static const struct opt doctor_options[] = {
	{ 0, NULL,
	    FIELD("json", field_bool, struct doctor_options, json, NULL,
		"print JSON") },
	{ 0, "FILE",
	    FIELD("file", field_path, struct doctor_options, file, NULL,
		"judge this, instead of ~/.ssh/config") },
};

/* What a person calls so in ssh_config, if it is a sandbox. */
static const char *
sandbox_of(
    const char *ssh_config, const char *host, char name[static FIELD_TEXT])
{
	return host != NULL && !name_has_suffix(host, options.suffix) &&
		doctor_host_name(ssh_config, host, FIELD_TEXT, name) &&
		name_has_suffix(name, options.suffix)
	    ? name
	    : host;
}

static int
command_doctor(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-proxy doctor",
		.args = "[--json] [--file FILE] [ALIAS]",
		.summary = "See what keeps ssh from getting into a sandbox.",
		.options = doctor_options,
		.option_count = 2 };
	cleanup_buf struct buf report = BUF_INIT(DOCTOR_REPORT_MAX);
	struct doctor_options own = { 0 };
	struct doctor_request request = { .ssh_config = own.file,
		.snippet = SNIPPET };
	char probe[FIELD_TEXT + 16], name[FIELD_TEXT];
	struct target target;
	struct sbx_why why = { "" };
	bool sound = false;
	enum sbx_err err;
	int first, status;

	if (!start(&usage, argc, argv, 0, 1, &own, &first, &status))
		return status;
	request.host = argc == first ? NULL : argv[first];
	err = find_target(
	    sandbox_of(own.file, request.host, name), &target, &why);
	/* In the snippet's pattern, but no alias, so nobody is asked of it. */
	(void)snprintf(probe, sizeof(probe), "doctor-.%s", options.suffix);
	request.paths = &target.paths;
	request.cache = target.cache;
	request.alias = argc == first ? NULL : &target.alias;
	request.probe = probe;
	request.delegate = &target.delegate;
	request.now = (uint64_t)time(NULL);
	request.json = own.json;
	if (err == SBX_OK)
		err = doctor_run(&request, &report, &sound, &why);
	if (err != SBX_OK)
		return log_failure(err, &why);
	status = print(&report);
	return status == 0 && !sound ? 1 : status;
}

static const struct command commands[] = {
	{ "prepare", "[--no-agent] ALIAS",
	    "get credentials unless there are good ones", command_prepare },
	{ "connect", "[--fdpass] ALIAS [PORT]",
	    "connect, waking the sandbox if need be", command_connect },
	{ "host-key", "ALIAS TYPE KEY",
	    "say whether that is its host key by now", command_host_key },
	{ "print-config", "[--program FILE] [--stdio]",
	    "print the lines for ssh_config(5)", command_print_config },
	{ "setup", "[--dry-run] [--remove] [--file FILE] [--include FILE]",
	    "include them in ~/.ssh/config", command_setup },
	{ "hosts", "[--heal] [--refresh] [--json]",
	    "print the names of sandboxes", command_hosts },
	{ "doctor", "[--json] [--file FILE] [ALIAS]",
	    "see what keeps ssh from getting in", command_doctor },
};

int
main(int argc, char **argv)
{
	static const struct usage usage = { .program = "sandbox-proxy",
		.args = "[--cache DIR] [--config FILE] [--suffix S] "
			"COMMAND [...]",
		.summary = "Plain ssh to sandboxes: what ssh runs.",
		.options = global_options,
		.option_count =
		    sizeof(global_options) / sizeof(global_options[0]),
		.commands = commands,
		.command_count = sizeof(commands) / sizeof(commands[0]) };

	log_init(argv[0]);
	return opt_dispatch(&usage, argc, argv, &options);
}
