/* SPDX-License-Identifier: ISC */
#include "broker/settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "certs/check.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/text.h"

/* 1879048192 = 0x70000000: far above what people and services are given. */
#define UID_RANGE_DEFAULT "1879048192:268435456"

#define SHARED_FILE PATHS_SYSTEM_CONFIG "/sandboxd.conf"

static const char *const isolation_words[] = { "auto", "namespaces", "none",
	NULL };
static const char *const start_in_words[] = { "home", "workspace", NULL };

/* START:COUNT */
static enum sbx_err
field_uid_range(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	struct uid_range *range =
	    (struct uid_range *)((char *)object + field->offset);
	const char *colon = strchr(text, ':');
	char start[24];

	if (colon != NULL &&
	    text_copy(VIEW(text, colon - text), start, sizeof(start)) ==
		SBX_OK &&
	    text_uint(start, 65536, UINT32_MAX, &range->start) == SBX_OK &&
	    text_uint(colon + 1, UID_RANGE_MIN, UINT32_MAX, &range->count) ==
		SBX_OK &&
	    range->start + range->count <= UINT32_MAX)
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s = '%.80s' is not START:COUNT with START at least 65536, COUNT "
	    "at least %d and an end below 2^32",
	    field->name, text, UID_RANGE_MIN);
}

/* "64M", "4G"; or "25%" of what the key is about. */
static enum sbx_err
field_amount(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	static const char units[] = "KMGT";
	struct amount *amount =
	    (struct amount *)((char *)object + field->offset);
	size_t len = strlen(text);
	const char *unit = len == 0 ? NULL : strchr(units, text[len - 1]);
	char number[16];
	uint64_t n;

	if (len > 1 &&
	    text_copy(VIEW(text, len - 1), number, sizeof(number)) == SBX_OK) {
		if (text[len - 1] == '%' &&
		    text_uint(number, 1, 100, &n) == SBX_OK) {
			*amount = (struct amount){ .percent = (unsigned)n };
			return SBX_OK;
		}
		if (unit != NULL &&
		    text_uint(number, 1, 1 << 20, &n) == SBX_OK) {
			n <<= 10 * (unit - units + 1);
			if (n >= field->min) {
				*amount = (struct amount){ .bytes = n };
				return SBX_OK;
			}
		}
	}
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s = '%.80s' is neither a size from %" PRIu64 "M, like 512M or "
	    "4G, nor a share like 25%%",
	    field->name, text, field->min >> 20);
}

/* "25%" */
static enum sbx_err
field_percent(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	size_t len = strlen(text);
	char number[16];

	if (len > 1 && text[len - 1] == '%' &&
	    text_copy(VIEW(text, len - 1), number, sizeof(number)) == SBX_OK &&
	    text_uint(number, field->min, field->max,
		(uint64_t *)(void *)((char *)object + field->offset)) == SBX_OK)
		return SBX_OK;
	return sbx_fail(why, SBX_BAD_VALUE,
	    "%s = '%.80s' is not a share from %" PRIu64 "%% to %" PRIu64 "%%",
	    field->name, text, field->min, field->max);
}

#define MEMBER(name) offsetof(struct broker_settings, name)

static const struct conf_key keys[] = {
	{ "broker",
	    { "socket", field_path, MEMBER(socket),
		.help = "where it listens" } },
	{ "broker",
	    { "state_dir", field_path, MEMBER(state_dir),
		.help = "database, CA key, sandboxes" } },
	{ "broker",
	    { "runtime_dir", field_path, MEMBER(runtime_dir),
		.help = "sockets" } },
	{ "ca",
	    { "key", field_path, MEMBER(ca_key),
		.help = "private key that signs certificates" } },
	{ "ca",
	    { "trusted", field_path, MEMBER(ca_trusted),
		.help = "public keys that sandboxes trust, too" } },
	{ "local",
	    { "isolation", field_choice, MEMBER(isolation), .def = "auto",
		.help = "how local sandboxes are kept apart",
		.choices = isolation_words } },
	{ "local",
	    { "uid_range", field_uid_range, MEMBER(uid_range),
		.def = UID_RANGE_DEFAULT,
		.help = "user ids that sandboxd may use, as root" } },
	{ "local",
	    { "processes", field_uint, MEMBER(local_limits.processes), 64,
		1000000, .def = "2048",
		.help = "processes and threads of a sandbox" } },
	{ "local",
	    { "memory", field_amount, MEMBER(local_limits.memory), 64 << 20, 0,
		.def = "50%", .help = "memory of a sandbox" } },
	/* Three of them leave something for processes. */
	{ "local",
	    { "tmpfs", field_percent, MEMBER(local_limits.tmpfs), 1, 25,
		.def = "25%",
		.help = "share of memory for each file system in it" } },
	{ "local",
	    { "workspace", field_amount, MEMBER(local_limits.workspace),
		16 << 20, 0, .def = "25%",
		.help = "what the home of a sandbox may take" } },
	{ "local",
	    { "start_in", field_choice, MEMBER(start_in), .def = "home",
		.help = "where sessions start", .choices = start_in_words } },
	{ "local",
	    { "ptys", field_uint, MEMBER(local_limits.ptys), 4, 4096,
		.def = "128", .help = "terminals of a sandbox" } },
	{ "life",
	    { "auto_stop", field_duration, MEMBER(auto_stop), 0,
		LIMITS_LIFE_MAX, .def = "0",
		.help = "stop a sandbox after so long without a session" } },
	{ "daytona",
	    { "api_key_file", field_path, MEMBER(daytona.key.file),
		.help = "file, mode 0600, that has the key" } },
	{ "daytona",
	    { "api_key_command", field_text, MEMBER(daytona.key.command),
		.help = "program that prints the key" } },
	{ "daytona",
	    { "api_key_credential", field_text, MEMBER(daytona.key.credential),
		.help = "systemd credential that is the key" } },
	{ "daytona",
	    { "organization", field_text, MEMBER(daytona.organization),
		.help = "id of it, where the key is a JWT" } },
	{ "daytona",
	    { "api_url", field_text, MEMBER(daytona.api_url),
		.def = "https://app.daytona.io/api", .help = "its API" } },
	{ "daytona",
	    { "ca_file", field_path, MEMBER(daytona.ca_file),
		.help = "CAs to trust for it instead of the system's" } },
	{ "daytona",
	    { "host_key", field_text, MEMBER(daytona.host_key),
		.help = "host keys of the gateway, commas between" } },
	{ "daytona",
	    { "label", field_text, MEMBER(daytona.label),
		.help = "key of a label that has what we call a sandbox" } },
	{ "daytona",
	    { "snapshot", field_text, MEMBER(daytona.snapshot),
		.help = "what new sandboxes are made of" } },
	{ "daytona",
	    { "target", field_text, MEMBER(daytona.target),
		.help = "region of new sandboxes" } },
	{ "daytona",
	    { "auto_stop", field_duration, MEMBER(daytona.auto_stop), 0, 604800,
		.def = "15m", .help = "new ones stop after so long unused" } },
	{ "daytona",
	    { "token_ttl", field_duration, MEMBER(daytona.token_ttl), 300,
		86400, .def = "60m", .help = "life of an SSH token" } },
	{ "daytona",
	    { "allow", field_words, MEMBER(daytona_allow),
		.help = "users of root's broker who may use it" } },
	{ "route",
	    { "daytona", field_words, MEMBER(daytona_route), .def = "*",
		.help = "patterns of names that it is asked for" } },
	{ "limits",
	    { "max_ttl", field_duration, MEMBER(max_ttl), 60, CHECK_TTL_MAX,
		.def = "24h", .help = "longest life of a certificate" } },
	{ "limits",
	    { "max_lifetime", field_duration, MEMBER(max_lifetime), 0,
		LIMITS_LIFE_MAX, .def = "0",
		.help = "longest life of a sandbox, 0 for any" } },
	{ "limits",
	    { "max_sandboxes", field_uint, MEMBER(max_sandboxes), 1, 1000000,
		.def = "1000", .help = "sandboxes one owner may have" } },
	{ "limits",
	    { "connections", field_uint, MEMBER(connections), 8, 10000,
		.def = "256", .help = "connections served at once" } },
	{ "limits",
	    { "max_events", field_uint, MEMBER(max_events), 100, 10000000,
		.def = "100000", .help = "events kept of one owner" } },
	{ "limits",
	    { "max_event_age", field_duration, MEMBER(max_event_age), 3600,
		LIMITS_LIFE_MAX, .def = "30d",
		.help = "how long events are kept" } },
};

static const struct field_list no_words;

/* Their places in the settings. */
static const struct {
	const char *provider;
	size_t allow, route;
} platforms[] = {
	{ "daytona", MEMBER(daytona_allow), MEMBER(daytona_route) },
};

static const struct field_list *
words_at(const struct broker_settings *settings, size_t offset)
{
	return (const struct field_list *)((const char *)settings + offset);
}

const struct field_list *
broker_settings_allow(
    const struct broker_settings *settings, const char *provider)
{
	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		if (strcmp(platforms[i].provider, provider) == 0)
			return words_at(settings, platforms[i].allow);
	}
	return &no_words;
}

const struct field_list *
broker_settings_route(
    const struct broker_settings *settings, const char *provider)
{
	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		if (strcmp(platforms[i].provider, provider) == 0)
			return words_at(settings, platforms[i].route);
	}
	return &no_words;
}

const struct conf_table broker_settings_table = { .keys = keys,
	.count = sizeof(keys) / sizeof(keys[0]) };

#define OPTION(name) offsetof(struct broker_options, name)

const struct opt broker_option_rows[] = {
	{ 'c', "FILE",
	    { "config", field_path, OPTION(config),
		.help = "read this file instead of the usual ones" } },
	{ 0, "PATH",
	    { "socket", field_path, OPTION(socket), .help = "listen there" } },
	{ 0, "DIR",
	    { "state-dir", field_path, OPTION(state_dir),
		.help = "keep database, CA key and sandboxes there" } },
	{ 0, "DIR",
	    { "runtime-dir", field_path, OPTION(runtime_dir),
		.help = "make sockets there" } },
	{ 'd', NULL,
	    { "daemon", field_bool, OPTION(daemon),
		.help = "return when the broker answers, go on without "
			"terminal" } },
	{ 0, NULL,
	    { "stop", field_bool, OPTION(stop),
		.help = "end the one that runs; sandboxes go on" } },
	{ 0, "DIR",
	    { "make-kit", field_path, OPTION(make_kit),
		.help = "put the server side for containers together there" } },
	{ 0, "DIR",
	    { "openssh", field_path, OPTION(openssh),
		.help = "the kit has this release, not the installed one" } },
};

const size_t broker_option_count =
    sizeof(broker_option_rows) / sizeof(broker_option_rows[0]);

/* What the system's file says about places means those of root's broker. */
static void
forget_places(struct broker_settings *s)
{
	*s->socket = *s->state_dir = *s->runtime_dir = '\0';
	*s->ca_key = *s->ca_trusted = '\0';
}

/* The usual files need not exist. */
static enum sbx_err
read_file(const struct paths *paths, uid_t uid, const char *config,
    struct broker_settings *ret, struct sbx_why *why)
{
	char own[PATHS_MAX];
	const char *file = *config != '\0' ? config : own;
	enum sbx_err err = paths_join(paths->config, "sandboxd.conf", own);

	if (err == SBX_OK)
		err =
		    conf_read(&broker_settings_table, file, uid, 022, ret, why);
	if (err == SBX_NOT_FOUND && *config != '\0')
		return sbx_fail(
		    why, SBX_CONFIG, "%s: there is no such file", config);
	if (err == SBX_NOT_FOUND) {
		err = conf_read(
		    &broker_settings_table, SHARED_FILE, uid, 022, ret, why);
		if (err == SBX_OK && uid != 0)
			forget_places(ret);
		/* Whoever writes one writes his own. */
		file = err == SBX_OK || uid == 0 ? SHARED_FILE : own;
	}
	(void)snprintf(ret->file, sizeof(ret->file), "%s", file);
	return err == SBX_NOT_FOUND ? SBX_OK : err;
}

/* What root's broker would take.  Without its file the default is. */
static void
find_machine_range(struct broker_settings *ret)
{
	cleanup_free struct broker_settings *root = calloc(1, sizeof(*root));

	if (root == NULL ||
	    conf_defaults(&broker_settings_table, root, NULL) != SBX_OK)
		return;
	(void)!conf_read(&broker_settings_table, SHARED_FILE, /* owner= */ 0,
	    022, root, NULL);
	ret->machine_range = root->uid_range;
}

/* The first that is not empty. */
static void
choose(char ret[static FIELD_TEXT], const char *option, const char *fallback)
{
	const char *chosen = *option != '\0' ? option
	    : *ret != '\0'		     ? NULL
					     : fallback;

	if (chosen != NULL)
		(void)snprintf(ret, FIELD_TEXT, "%s", chosen);
}

static enum sbx_err
check_lengths(const struct broker_settings *s,
    const struct broker_options *options, struct sbx_why *why)
{
	bool typed = *options->socket != '\0' || *options->runtime_dir != '\0';
	struct sockaddr_un address;

	if (strlen(s->socket) >= sizeof(address.sun_path))
		return sbx_fail(why, typed ? SBX_USAGE : SBX_CONFIG,
		    "socket %s: the path is longer than the %zu bytes that a "
		    "UNIX socket's may have: set a shorter socket or "
		    "runtime_dir",
		    s->socket, sizeof(address.sun_path) - 1);
	return SBX_OK;
}

enum sbx_err
broker_settings_read(const struct paths *paths, uid_t uid,
    const struct broker_options *options, struct broker_settings *ret,
    struct sbx_why *why)
{
	char fallback[PATHS_MAX];
	enum sbx_err err;

	memset(ret, 0, sizeof(*ret));
	err = conf_defaults(&broker_settings_table, ret, why);
	if (err == SBX_OK)
		err = read_file(paths, uid, options->config, ret, why);
	if (err != SBX_OK)
		return err;
	ret->machine_range = ret->uid_range;
	if (uid != 0) {
		find_machine_range(ret);
		ret->uid_range = (struct uid_range){ 0 };
	}
	ret->own_uid = uid;
	memcpy(ret->libexec_dir, paths->libexec, sizeof(ret->libexec_dir));
	memcpy(ret->sandboxd, paths->sandboxd, sizeof(ret->sandboxd));
	memcpy(ret->credentials_dir, paths->credentials,
	    sizeof(ret->credentials_dir));

	choose(ret->state_dir, options->state_dir, paths->state);
	choose(ret->runtime_dir, options->runtime_dir, paths->runtime);
	if (paths_join(ret->runtime_dir, "sandboxd.sock", fallback) != SBX_OK)
		return sbx_fail(why, SBX_CONFIG, "%s: the path is too long",
		    ret->runtime_dir);
	choose(ret->socket, options->socket, fallback);
	if (paths_join(ret->state_dir, "ca/ca_ed25519", fallback) != SBX_OK)
		return sbx_fail(why, SBX_CONFIG, "%s: the path is too long",
		    ret->state_dir);
	ret->ca_key_named = *ret->ca_key != '\0';
	choose(ret->ca_key, "", fallback);
	return check_lengths(ret, options, why);
}

#define TRUSTED_MAX 65536

/* The one that signs, and those that do so before or after it. */
static enum sbx_err
put_cas(const struct broker_settings *s, const char *ca_line,
    char ret[static PROVIDER_CAS], struct sbx_why *why)
{
	cleanup_buf struct buf lines = BUF_INIT(PROVIDER_CAS - 1);
	cleanup_buf struct buf text = BUF_INIT(TRUSTED_MAX);
	struct ca_set set = { 0 };
	enum sbx_err err = SBX_OK;

	if (*s->ca_trusted != '\0') {
		err = file_read_trusted(
		    s->ca_trusted, s->own_uid, 022, &text, why);
		if (err == SBX_OK)
			err = ca_set_parse(
			    s->ca_trusted, buf_view(&text), &set, why);
		if (err == SBX_NOT_FOUND)
			err = sbx_fail(why, SBX_CONFIG,
			    "trusted = %s in [ca]: there is no such file",
			    s->ca_trusted);
		if (err != SBX_OK)
			return err;
	}
	buf_printf(&lines, "%s\n", ca_line);
	for (size_t i = 0; i < set.count; i++) {
		cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);

		key_put_ed25519(set.key[i], &blob);
		key_put_line(buf_view(&blob), NULL, &lines);
		buf_put_text(&lines, "\n");
	}
	err = buf_error(&lines);
	if (err == SBX_OK)
		(void)snprintf(ret, PROVIDER_CAS, "%s", buf_text(&lines));
	return err;
}

enum sbx_err
broker_settings_for_providers(const struct broker_settings *settings,
    const char *ca_line, struct provider_context *ret, struct sbx_why *why)
{
	memset(ret, 0, sizeof(*ret));
	if (text_copy(VIEW_STR(settings->state_dir), ret->state_dir,
		sizeof(ret->state_dir)) != SBX_OK ||
	    text_copy(VIEW_STR(settings->runtime_dir), ret->runtime_dir,
		sizeof(ret->runtime_dir)) != SBX_OK)
		return sbx_fail(why, SBX_CONFIG, "a path is too long");
	memcpy(
	    ret->libexec_dir, settings->libexec_dir, sizeof(ret->libexec_dir));
	memcpy(ret->config_file, settings->file, sizeof(ret->config_file));
	memcpy(ret->sandboxd, settings->sandboxd, sizeof(ret->sandboxd));
	ret->isolation_wanted = settings->isolation;
	ret->uid_range_start = settings->uid_range.start;
	ret->uid_range_count = settings->uid_range.count;
	ret->machine_range_start = settings->machine_range.start;
	ret->machine_range_count = settings->machine_range.count;
	ret->limits = settings->local_limits;
	ret->daytona = settings->daytona;
	memcpy(ret->credentials_dir, settings->credentials_dir,
	    sizeof(ret->credentials_dir));
	ret->start_in = settings->start_in;
	return put_cas(settings, ca_line, ret->ca_lines, why);
}
