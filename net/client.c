/* SPDX-License-Identifier: ISC */
#include "net/client.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "net/machine.h"
#include "net/reply.h"
#include "net/spawn.h"
#include "net/token.h"

#define OWN "your broker"
#define MACHINES "the machine's broker"
#define START_SECONDS 30
#define START_LOCK "start.lock"
#define START_SAYS_MAX 400

/* Also if so many want something of it that it has no place for one more. */
static bool
listens(const char *path)
{
	cleanup_close int fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (text_copy(VIEW_STR(path), address.sun_path,
		sizeof(address.sun_path)) != SBX_OK)
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 &&
	    (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		    0 ||
		errno == EAGAIN);
}

static enum sbx_err
run_sandboxd(const struct paths *paths, struct sbx_why *why)
{
	cleanup_buf struct buf says = BUF_INIT(START_SAYS_MAX);
	char libexec[PATHS_MAX + 32];
	const char *argv[] = { paths->sandboxd, "--daemon", NULL };
	/* It serves others, too: nothing of ours is its business. */
	const char *environment[] = { libexec, NULL };
	struct spawn spawn = { argv, STDERR_FILENO, true, environment,
		START_SECONDS };
	struct view rest, line = { NULL, 0 };
	int status = 0;
	enum sbx_err err;

	(void)snprintf(
	    libexec, sizeof(libexec), "SANDBOX_SSH_LIBEXEC=%s", paths->libexec);
	err = spawn_run(&spawn, &status, &says, why);
	if (err != SBX_OK || status == 0)
		return err;
	rest = buf_view(&says);
	while (line.len == 0 && text_next_line(&rest, &line))
		continue;
	return sbx_fail(why, SBX_UNAVAILABLE,
	    "no broker is running and none can be started: %.*s", (int)line.len,
	    line.len == 0 ? "" : (const char *)line.p);
}

/*
 * Under a lock, so that several programs that find no broker at the same
 * time start one.
 */
static enum sbx_err
start_sandboxd(
    const struct paths *paths, const char *socket, struct sbx_why *why)
{
	cleanup_close int dir = -1, lock = -1;
	/* Root's broker serves everyone, who must get to its socket. */
	enum sbx_err err =
	    file_mkdirs(paths->runtime, getuid() == 0 ? 0755 : 0700, why);

	if (err == SBX_OK)
		err = file_open_dir(AT_FDCWD, paths->runtime, &dir, why);
	if (err == SBX_OK)
		err = file_lock(dir, START_LOCK, /* wait= */ true, &lock, why);
	if (err != SBX_OK || listens(socket))
		return err;
	err = run_sandboxd(paths, why);
	if (err == SBX_OK && !listens(socket))
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "sandboxd was started but does not listen on unix:%s",
		    socket);
	return err;
}

void
client_put_place(const struct paths *paths, const struct settings *settings,
    char ret[static FIELD_TEXT])
{
	const char *url = settings->broker.url;
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	if (len > 0)
		(void)snprintf(ret, FIELD_TEXT, "%.*s", (int)len, url);
	else
		(void)snprintf(ret, FIELD_TEXT, "%s",
		    paths_has_broker(paths) ? OWN : MACHINES);
}

/* Is the broker of this account the machine's? */
static bool
is_roots(const struct paths *paths)
{
	return strcmp(paths->runtime, paths->shared) == 0;
}

/* Only systemd starts root's; one that we started would be in its way. */
static bool
is_systemds(const char **ret_unit)
{
	*ret_unit = machine_unit();
	return *ret_unit != NULL && machine_has_systemd();
}

/*
 * Who has had one asks it, running or not: the machine's knows others.  Nobody
 * else gets one of his own where the machine has one, running or not: nothing
 * that he has there would be found again.
 */
static enum sbx_err
find_socket(struct client *client, struct sbx_why *why)
{
	const struct paths *paths = client->paths;
	enum sbx_err err =
	    paths_join(paths->shared, PATHS_SOCKET, client->socket);
	char own[PATHS_MAX];
	const char *unit;
	bool listening;

	if (err == SBX_OK)
		err = paths_join(paths->runtime, PATHS_SOCKET, own);
	if (err != SBX_OK)
		return err;
	listening = listens(own);
	(void)snprintf(client->place, sizeof(client->place), MACHINES);
	if (!is_roots(paths) && !listening && !paths_has_broker(paths) &&
	    machine_has_broker(paths))
		return SBX_OK;
	(void)snprintf(client->place, sizeof(client->place), OWN);
	memcpy(client->socket, own, PATHS_MAX);
	if (listening || (is_roots(paths) && is_systemds(&unit)))
		return SBX_OK;
	return start_sandboxd(paths, own, why);
}

/* Where the broker is: socket and base; and how it is called in messages. */
static enum sbx_err
find_place(struct client *client, struct sbx_why *why)
{
	const char *url = client->settings.broker.url, *path;

	(void)snprintf(client->base, sizeof(client->base), "http://localhost");
	if (*url == '\0')
		return find_socket(client, why);
	client_put_place(client->paths, &client->settings, client->place);
	if (settings_unix_path(url, &path))
		return text_copy(
		    VIEW_STR(path), client->socket, sizeof(client->socket));
	client->networked = true;
	return text_copy(
	    VIEW_STR(client->place), client->base, sizeof(client->base));
}

/* What to do if nobody listens at the machine's, where we do not start it. */
static void
put_absent(struct client *client)
{
	const char *sandboxd = client->paths->sandboxd, *unit;
	bool systemds = is_systemds(&unit);
	char start[192];

	if (systemds)
		(void)snprintf(
		    start, sizeof(start), "systemctl start %s", unit);
	else
		(void)snprintf(
		    start, sizeof(start), "%.160s --daemon", sandboxd);
	if (!is_roots(client->paths))
		(void)snprintf(client->absent, sizeof(client->absent),
		    "the machine's broker is down: root starts it with '%s'; "
		    "for one of your own, to which you then keep, run '%.160s "
		    "--daemon'",
		    start, sandboxd);
	else if (systemds)
		(void)snprintf(client->absent, sizeof(client->absent),
		    "start it with '%s'", start);
}

/* The machine's, and that of an account that has one of its own. */
static enum sbx_err
look_around(struct client *client)
{
	const struct paths *paths = client->paths;
	char own[PATHS_MAX], shared[PATHS_MAX];
	enum sbx_err err = paths_join(paths->runtime, PATHS_SOCKET, own);
	bool is_shared;

	if (err == SBX_OK)
		err = paths_join(paths->shared, PATHS_SOCKET, shared);
	if (err != SBX_OK)
		return err;
	is_shared = strcmp(client->socket, shared) == 0;
	if (is_shared)
		put_absent(client);
	if (is_roots(paths) || !paths_has_broker(paths) ||
	    !machine_has_broker(paths))
		return SBX_OK;
	if (is_shared)
		memcpy(client->other, own, PATHS_MAX);
	else if (strcmp(client->socket, own) == 0)
		memcpy(client->other, shared, PATHS_MAX);
	return SBX_OK;
}

void
client_close(struct client *client)
{
	if (client == NULL)
		return;
	sodium_memzero(client->token, sizeof(client->token));
	sodium_memzero(client->settings.broker.token,
	    sizeof(client->settings.broker.token));
}

static enum sbx_err
start_open(const struct paths *paths, const char *config, struct client *ret,
    struct sbx_why *why)
{
	*ret = (struct client){ .paths = paths };
	return settings_read(paths, config, &ret->settings, why);
}

/* err, or the rest; nothing stays open if either fails. */
static enum sbx_err
finish_open(
    enum sbx_err err, const char *name, struct client *ret, struct sbx_why *why)
{
	if (err == SBX_OK)
		err = settings_choose(&ret->settings, name, why);
	if (err == SBX_OK)
		err = token_find(&ret->settings, ret->token, why);
	if (err == SBX_OK)
		err = find_place(ret, why);
	if (err == SBX_OK)
		err = look_around(ret);
	if (err != SBX_OK)
		client_close(ret);
	return err;
}

enum sbx_err
client_open_for(const struct paths *paths, const char *config, const char *name,
    struct client *ret, struct sbx_why *why)
{
	enum sbx_err err = start_open(paths, config, ret, why);

	return finish_open(err, name, ret, why);
}

/* The configuration has it, or it is [broker]'s. */
static enum sbx_err
check_domain(const struct settings *settings, const struct paths *paths,
    const char *config, const char *domain, struct sbx_why *why)
{
	if (!name_is_suffix(domain) || strlen(domain) > NAME_ALIAS_MAX - 2)
		return sbx_fail(why, SBX_BAD_NAME,
		    "'%.80s' is not a domain like prod.sandbox", domain);
	if (strcmp(domain, NAME_SUFFIX_DEFAULT) == 0)
		return SBX_OK;
	for (size_t i = 0; i < settings->domain_count; i++) {
		if (strcmp(settings->domain[i].suffix, domain) == 0)
			return SBX_OK;
	}
	return sbx_fail(why, SBX_CONFIG,
	    "%.200s%s has no [domain \"%.80s\"]: put it there, with the url of "
	    "its broker, or name one that is there: see sandbox-ssh_config(5)",
	    config != NULL ? config : paths->config,
	    config != NULL ? "" : "/config", domain);
}

enum sbx_err
client_open_domain(const struct paths *paths, const char *config,
    const char *domain, struct client *ret, struct sbx_why *why)
{
	enum sbx_err err = start_open(paths, config, ret, why);
	char name[NAME_ALIAS_MAX + 1];

	if (err == SBX_OK)
		err = check_domain(&ret->settings, paths, config, domain, why);
	/* Any name that ends in it leads to its broker. */
	(void)snprintf(name, sizeof(name), "x.%s", domain);
	return finish_open(err, name, ret, why);
}

/* Is the name in that domain, and in none that is longer or shorter? */
static enum sbx_err
check_name(const struct settings *settings, const char *name,
    const char *suffix, const char *domain, struct sbx_why *why)
{
	const struct settings_broker *found = settings_domain(settings, name);
	const char *its = found == NULL ? suffix : found->suffix;

	if (strcmp(its, domain) == 0)
		return SBX_OK;
	return sbx_fail(why, SBX_USAGE,
	    "'%.80s' is in the domain %.80s, not in %.80s: give only one of "
	    "the two",
	    name, its, domain);
}

enum sbx_err
client_open_alias(const struct paths *paths, const char *config,
    const char *suffix, const char *domain, struct alias *alias,
    struct client *ret, struct sbx_why *why)
{
	struct alias parsed = { .text = "" };
	enum sbx_err err = start_open(paths, config, ret, why);

	if (err == SBX_OK && domain != NULL)
		err = check_domain(&ret->settings, paths, config, domain, why);
	if (err == SBX_OK)
		err = settings_parse_name(
		    &ret->settings, alias->text, suffix, &parsed, why);
	if (err == SBX_OK && domain != NULL)
		err = check_name(
		    &ret->settings, parsed.text, suffix, domain, why);
	err = finish_open(err, parsed.text, ret, why);
	if (err == SBX_OK)
		*alias = parsed;
	return err;
}

/* For brokers, and things in front of them, that name no code. */
static const struct {
	long status;
	enum sbx_err err;
	const char *text;
} statuses[] = {
	{ 400, SBX_USAGE, "the broker refused the request as malformed" },
	{ 401, SBX_REFUSED,
	    "the broker wants a token: set token_file or SANDBOX_TOKEN" },
	{ 403, SBX_REFUSED, "the broker does not allow it" },
	{ 404, SBX_NOT_FOUND, "no such sandbox" },
	{ 408, SBX_TIMEOUT, "the broker ran out of time" },
	{ 409, SBX_STATE, "not possible in this state" },
	{ 429, SBX_UNAVAILABLE, "the broker is busy: try again later" },
	{ 500, SBX_UNAVAILABLE, "the broker failed" },
	{ 502, SBX_UNAVAILABLE, "the broker is unavailable" },
	{ 503, SBX_UNAVAILABLE, "the broker is unavailable" },
	{ 504, SBX_TIMEOUT, "the broker did not answer in time" },
};

struct problem {
	char code[64];
	char detail[SBX_WHY_MAX]; /* as long as any of ours */
};

static const struct reply_field problem_fields[] = {
	{ "code", REPLY_TEXT, true, offsetof(struct problem, code),
	    sizeof(((struct problem *)0)->code), 0, 0 },
	{ "detail", REPLY_TEXT, true, offsetof(struct problem, detail),
	    sizeof(((struct problem *)0)->detail), 0, 0 },
};

#define SANDBOXES "/v1/sandboxes/"

/* The id in a path about one sandbox; empty in any other. */
static struct view
id_in(const char *path)
{
	size_t len = strlen(SANDBOXES);

	if (strncmp(path, SANDBOXES, len) != 0)
		return VIEW(path, 0);
	return VIEW(path + len, strcspn(path + len, "/?"));
}

static enum sbx_err
refusal(const struct client *client, const char *path, long status,
    struct buf *body, struct sbx_why *why)
{
	const char *text = "unexpected answer";
	struct problem problem = { "", "" };
	struct json_object *object = NULL;
	enum sbx_err err = SBX_PROTOCOL;
	struct view id = id_in(path);

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].status == status) {
			err = statuses[i].err;
			text = statuses[i].text;
		}
	}
	if (status >= 400 &&
	    reply_parse(buf_text(body), body->len, &object, NULL) == SBX_OK &&
	    reply_read(object, problem_fields, 2, &problem, NULL) == SBX_OK) {
		enum sbx_err named;

		/* Not "ok": an error status is an error. */
		if (sbx_err_find(problem.code, &named) && named != SBX_OK)
			err = named;
		if (problem.detail[0] != '\0')
			text = problem.detail;
	}
	(void)json_object_put(object);
	/* The commonest one, in one wording whatever the broker's is. */
	if (err == SBX_NOT_FOUND && id.len > 0 && client->other[0] != '\0')
		return sbx_fail(why, err,
		    "%.*s: no such sandbox (asked %s; this machine has "
		    "another: SANDBOX_BROKER=unix:%s sandboxctl list): see "
		    "sandbox-proxy doctor",
		    (int)id.len, (const char *)id.p, client->place,
		    client->other);
	if (err == SBX_NOT_FOUND && id.len > 0)
		return sbx_fail(why, err,
		    "%.*s: no such sandbox (asked %s): see sandboxctl list",
		    (int)id.len, (const char *)id.p, client->place);
	if (err == SBX_PROTOCOL)
		return sbx_fail(why, err, "%s: status %ld (asked %s)", text,
		    status, client->place);
	return sbx_fail(why, err, "%s (asked %s)", text, client->place);
}

/* All but what makes a sandbox, or removes one. */
static bool
is_harmless(const char *method, const char *path)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "PATCH") == 0 ||
	    (strcmp(method, "POST") == 0 && id_in(path).len > 0);
}

/* stream NULL: the answer ends by itself. */
static enum sbx_err
call(struct client *client, const char *method, const char *path,
    struct json_object *body, unsigned extra, struct json_object **ret,
    struct http_stream **stream, struct sbx_why *why)
{
	cleanup_buf struct buf answer = BUF_INIT(HTTP_BODY_MAX);
	cleanup_buf struct buf url = BUF_INIT(8192);
	struct http_request request = {
		.method = method,
		.unix_socket =
		    client->socket[0] == '\0' ? NULL : client->socket,
		.ca_file = client->settings.broker.ca_file[0] == '\0'
		    ? NULL
		    : client->settings.broker.ca_file,
		.bearer = client->token[0] == '\0' ? NULL : client->token,
		.timeout = (unsigned)client->settings.timeout + extra,
		.patience = client->absent[0] == '\0'
		    ? 0
		    : (unsigned)client->settings.timeout,
		.harmless = is_harmless(method, path),
		.absent = client->absent[0] == '\0' ? NULL : client->absent,
		.progress = client->progress,
		.progress_context = client->progress_context,
	};
	struct sbx_why own = { "" };
	struct http_head head = { 0 };
	enum sbx_err err;

	buf_put_text(&url, client->base);
	buf_put_text(&url, path);
	if (buf_error(&url) != SBX_OK)
		return buf_error(&url);
	request.url = buf_text(&url);
	if (body != NULL)
		request.body = json_object_to_json_string_ext(
		    body, JSON_C_TO_STRING_PLAIN);
	*ret = NULL;
	err = stream == NULL ? http_perform(&request, &head, &answer, why)
			     : http_open(&request, &head, &answer, stream, why);
	if (err != SBX_OK)
		return err;
	client->clock = head.date;
	if (head.status < 200 || head.status > 299)
		return refusal(client, path, head.status, &answer, why);
	if (answer.len == 0)
		return SBX_OK;
	err = reply_parse(buf_text(&answer), answer.len, ret, &own);
	if (err == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, err,
	    "the broker's answer cannot be used, %s "
	    "(asked %s)",
	    sbx_why_text(&own, err), client->place);
}

enum sbx_err
client_call(struct client *client, const char *method, const char *path,
    struct json_object *body, unsigned extra, struct json_object **ret,
    struct sbx_why *why)
{
	return call(
	    client, method, path, body, extra, ret, /* stream= */ NULL, why);
}

enum sbx_err
client_open_stream(struct client *client, const char *method, const char *path,
    struct json_object *body, unsigned extra, struct json_object **ret,
    struct http_stream **ret_stream, struct sbx_why *why)
{
	enum sbx_err err;

	*ret_stream = NULL;
	err = call(client, method, path, body, extra, ret, ret_stream, why);
	if (err == SBX_OK && *ret_stream == NULL)
		err = sbx_fail(why, SBX_PROTOCOL,
		    "the broker's answer ended at once (asked %s)",
		    client->place);
	if (err != SBX_OK) {
		http_close(*ret_stream);
		*ret_stream = NULL;
	}
	return err;
}

enum sbx_err
client_check_provider(
    struct client *client, const struct alias *alias, struct sbx_why *why)
{
	static const struct reply_field field = { "provider", REPLY_TEXT, false,
		0, NAME_ID_MAX + 1, 0, 0 };
	char path[sizeof(SANDBOXES "?provider=") + 2 * NAME_ID_MAX];
	char provider[NAME_ID_MAX + 1] = "";
	struct json_object *object = NULL;
	enum sbx_err err;

	if (*alias->provider == '\0')
		return SBX_OK;
	(void)snprintf(path, sizeof(path), SANDBOXES "%s%s%s", alias->id,
	    name_is_id(VIEW_STR(alias->provider)) ? "?provider=" : "",
	    name_is_id(VIEW_STR(alias->provider)) ? alias->provider : "");
	err = client_call(
	    client, "GET", path, NULL, /* extra= */ 0, &object, why);
	if (err == SBX_OK)
		err = reply_read(object, &field, 1, provider, why);
	(void)json_object_put(object);
	if (err != SBX_OK || strcmp(provider, alias->provider) == 0)
		return err;
	return sbx_fail(why, SBX_NOT_FOUND,
	    "%.80s: no such sandbox: '%s' is neither the provider of %s nor a "
	    "[domain] of the configuration",
	    alias->text, alias->provider, alias->id);
}
