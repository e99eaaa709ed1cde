/* SPDX-License-Identifier: ISC */
#include "net/settings.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/text.h"

#define UNIX_SCHEME "unix:"

bool
settings_unix_path(const char *url, const char **ret_path)
{
	size_t len = strlen(UNIX_SCHEME);

	if (strncmp(url, UNIX_SCHEME, len) != 0)
		return false;
	*ret_path = url + len;
	return true;
}

static bool
is_socket_path(const char *path)
{
	for (const char *c = path; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	}
	return *path == '/' &&
	    strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path);
}

/* Nothing that a request line or a header could be broken with. */
static bool
is_plain(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (*c <= ' ' || *c >= 0x7f || strchr("\"\\<>^`{|}", *c))
			return false;
	}
	return true;
}

bool
settings_is_loopback(struct view host)
{
	struct in_addr address;
	char text[INET_ADDRSTRLEN];

	if (view_eq_str(host, "localhost") || view_eq_str(host, "[::1]") ||
	    view_eq_str(host, "::1"))
		return true;
	return text_copy(host, text, sizeof(text)) == SBX_OK &&
	    inet_pton(AF_INET, text, &address) == 1 &&
	    ntohl(address.s_addr) >> 24 == 127;
}

/* Why url cannot be used; NULL if it can. */
static const char *
url_fault(const char *url)
{
	const char *host = strstr(url, "://"), *path;
	size_t len;

	if (settings_unix_path(url, &path))
		return is_socket_path(path)
		    ? NULL
		    : "the path behind unix: is not absolute, too long or has "
		      "a line break";
	if (host == NULL ||
	    (strncmp(url, "https://", 8) != 0 &&
		strncmp(url, "http://", 7) != 0))
		return "write unix:/PATH or https://HOST";
	host += 3;
	if (!is_plain(url) || strpbrk(host, "@?#") != NULL)
		return "no user, query, fragment or blank belongs there";
	len = *host == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/");
	if (len == 0 || host[0] == ':')
		return "it has no host";
	if (url[4] == ':' && !settings_is_loopback(VIEW(host, len)))
		return "plain http is for loopback addresses only: use https";
	return NULL;
}

static enum sbx_err
field_url(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	const char *fault = url_fault(text);

	if (fault != NULL)
		return sbx_fail(why, SBX_CONFIG, "%s = '%.120s': %s",
		    field->name, text, fault);
	return field_text(field, text, object, why);
}

static enum sbx_err
field_suffix(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	if (!name_is_suffix(text))
		return sbx_fail(why, SBX_BAD_VALUE,
		    "'%.80s' is not a suffix like prod.sandbox", text);
	return field_text(field, text, object, why);
}

static enum sbx_err
field_exec_name(const struct field *field, const char *text, void *object,
    struct sbx_why *why)
{
	if (!name_is_id(VIEW_STR(text)))
		return sbx_fail(why, SBX_BAD_VALUE,
		    "'%.80s' is no name for a command: use a-z, 0-9, _ and -",
		    text);
	return field_text(field, text, object, why);
}

/* What both kinds of section say of a broker; base is where it stands. */
#define BROKER(m) offsetof(struct settings_broker, m)
#define FIELD(base, name, parse, help)                                      \
	{                                                                   \
#name, parse, (base) + BROKER(name), 0, 0, NULL, help, NULL \
	}
#define URL(base)                   \
	FIELD(base, url, field_url, \
	    "where the broker is: unix:/PATH or https://HOST")
#define TOKEN_FILE(base) \
	FIELD(base, token_file, field_path, "file that holds the token for it")
#define TOKEN_COMMAND(base)                    \
	FIELD(base, token_command, field_text, \
	    "program that prints the token for it")
#define CA_FILE(base) \
	FIELD(base, ca_file, field_path, "CA certificates for https")
#define TRUSTED_CA(base)                    \
	FIELD(base, trusted_ca, field_path, \
	    "CA keys, one of which must have signed")

#define MEMBER(m) offsetof(struct settings, m)

static const char *const local_kex_words[] = { "fast", "default", NULL };

static const struct conf_key keys[] = {
	{ "broker", URL(MEMBER(broker)) },
	{ "broker", TOKEN_FILE(MEMBER(broker)) },
	{ "broker", TOKEN_COMMAND(MEMBER(broker)) },
	{ "broker", CA_FILE(MEMBER(broker)) },
	{ "broker", TRUSTED_CA(MEMBER(broker)) },
	{ "broker",
	    { "timeout", field_duration, MEMBER(timeout), 1, 300, "10s",
		"how long one request may take", NULL } },
	{ "ssh",
	    { "ttl", field_duration, MEMBER(ttl), 60, LIMITS_TTL_MAX, NULL,
		"how long a certificate lives", NULL } },
	{ "ssh",
	    { "wait", field_duration, MEMBER(wait), 1, LIMITS_WAIT_MAX, "120s",
		"how long to wait for a sandbox that is started", NULL } },
	{ "ssh",
	    { "wake", field_bool, MEMBER(wake), 0, 0, "yes",
		"connecting starts a sandbox that is stopped", NULL } },
	{ "ssh",
	    { "local_kex", field_choice, MEMBER(local_kex), 0, 0, "fast",
		"key exchange with a sandbox on this machine",
		local_kex_words } },
	{ "ssh",
	    { "public_key", field_path, MEMBER(public_key), 0, 0, NULL,
		"key to certify instead of a new one", NULL } },
	{ "proxy",
	    { "credentials_file", field_path, MEMBER(credentials_file), 0, 0,
		NULL, "file of lines HOST:PORT USER PASSWORD", NULL } },
	{ "endpoint",
	    { "ca_file", field_path, MEMBER(endpoint_ca_file), 0, 0, NULL,
		"CA certificates for tls and wss endpoints", NULL } },
};

static const struct field domain_keys[] = {
	URL(0),
	TOKEN_FILE(0),
	TOKEN_COMMAND(0),
	CA_FILE(0),
	TRUSTED_CA(0),
};

#define EXEC(m) offsetof(struct settings_exec, m)

static const struct field exec_keys[] = {
	{ "command", field_path, EXEC(command), 0, 0, NULL,
	    "way into a sandbox, %i being its id there", NULL },
};

static const struct conf_list lists[] = {
	{ .section = "domain",
	    .label = { "domain", field_suffix, BROKER(suffix), 0, 0, NULL,
		"what names end in", NULL },
	    .keys = domain_keys,
	    .count = sizeof(domain_keys) / sizeof(domain_keys[0]),
	    .offset = MEMBER(domain),
	    .size = sizeof(struct settings_broker),
	    .max = SETTINGS_DOMAINS,
	    .used = MEMBER(domain_count) },
	{ .section = "exec",
	    .label = { "exec", field_exec_name, EXEC(name), 0, 0, NULL,
		"what exec: endpoints call the command", NULL },
	    .keys = exec_keys,
	    .count = sizeof(exec_keys) / sizeof(exec_keys[0]),
	    .offset = MEMBER(exec),
	    .size = sizeof(struct settings_exec),
	    .max = SETTINGS_EXECS,
	    .used = MEMBER(exec_count) },
};

const struct conf_table settings_table = {
	keys,
	sizeof(keys) / sizeof(keys[0]),
	lists,
	sizeof(lists) / sizeof(lists[0]),
};

const char *
settings_exec(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->exec_count; i++) {
		if (strcmp(settings->exec[i].name, name) == 0)
			return settings->exec[i].command;
	}
	return NULL;
}

/* What one source said of [broker], set aside while another is read. */
static struct settings_broker
take_broker(struct settings *settings)
{
	struct settings_broker broker = settings->broker;

	settings->broker = (struct settings_broker){ .url = "" };
	return broker;
}

/*
 * Fill in what an earlier source said of the same broker.  A token is for
 * the broker that it was given for, and so are the CAs.
 */
static void
inherit_broker(struct settings *settings, const struct settings_broker *from)
{
	static const size_t members[] = { BROKER(url), BROKER(token_file),
		BROKER(token_command), BROKER(ca_file), BROKER(trusted_ca) };
	struct settings_broker *to = &settings->broker;

	if (*to->url != '\0' && strcmp(to->url, from->url) != 0)
		return;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		char *text = (char *)to + members[i];

		if (*text == '\0')
			memcpy(
			    text, (const char *)from + members[i], FIELD_TEXT);
	}
}

/* One of the usual places; it need not be there. */
static enum sbx_err
read_usual(
    const char *dir, uid_t owner, struct settings *ret, struct sbx_why *why)
{
	const struct settings_broker earlier = take_broker(ret);
	char path[PATHS_MAX];
	enum sbx_err err = paths_join(dir, "config", path);

	if (err == SBX_OK)
		err = conf_read(&settings_table, path, owner,
		    /* forbidden= */ 022, ret, why);
	inherit_broker(ret, &earlier);
	if (err != SBX_NOT_FOUND)
		return err;
	if (why != NULL)
		why->text[0] = '\0';
	return SBX_OK;
}

static enum sbx_err
read_files(const struct paths *paths, const char *config, struct settings *ret,
    struct sbx_why *why)
{
	enum sbx_err err;

	if (config == NULL) {
		err = read_usual(PATHS_SYSTEM_CONFIG, FILE_NO_OWNER, ret, why);
		return err != SBX_OK
		    ? err
		    : read_usual(paths->config, getuid(), ret, why);
	}
	err = conf_read(&settings_table, config, getuid(),
	    /* forbidden= */ 022, ret, why);
	/* NOT_FOUND would read as a missing sandbox. */
	return err == SBX_NOT_FOUND
	    ? sbx_fail(why, SBX_CONFIG, "%s does not exist", config)
	    : err;
}

/* The environment goes through the parsers of the files. */
static enum sbx_err
read_environment(struct settings *ret, struct sbx_why *why)
{
	static const struct field fields[] = {
		{ "SANDBOX_BROKER", field_url, MEMBER(broker.url), 0, 0, NULL,
		    NULL, NULL },
		{ "SANDBOX_TOKEN", field_text, MEMBER(broker.token), 0, 0, NULL,
		    NULL, NULL },
	};

	const struct settings_broker files = take_broker(ret);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *value = getenv(fields[i].name);
		enum sbx_err err;

		if (value == NULL || *value == '\0')
			continue;
		err = fields[i].parse(&fields[i], value, ret, why);
		if (err != SBX_OK)
			return SBX_CONFIG;
	}
	inherit_broker(ret, &files);
	return SBX_OK;
}

enum sbx_err
settings_read(const struct paths *paths, const char *config,
    struct settings *ret, struct sbx_why *why)
{
	struct settings settings = { .domain_count = 0 };
	enum sbx_err err = conf_defaults(&settings_table, &settings, why);

	if (err == SBX_OK)
		err = read_files(paths, config, &settings, why);
	if (err == SBX_OK)
		err = read_environment(&settings, why);
	if (err == SBX_OK)
		*ret = settings;
	sodium_memzero(settings.broker.token, sizeof(settings.broker.token));
	return err;
}

const struct settings_broker *
settings_domain(const struct settings *settings, const char *name)
{
	const struct settings_broker *best = NULL;

	for (size_t i = 0; i < settings->domain_count; i++) {
		const struct settings_broker *domain = &settings->domain[i];

		if (name_has_suffix(name, domain->suffix) &&
		    (best == NULL ||
			strlen(domain->suffix) > strlen(best->suffix)))
			best = domain;
	}
	return best;
}

enum sbx_err
settings_parse_name(const struct settings *settings, const char *name,
    const char *suffix, struct alias *ret, struct sbx_why *why)
{
	const struct settings_broker *domain = settings_domain(settings, name);
	char longer[2 * NAME_ALIAS_MAX + 2];
	enum sbx_err err;

	if (domain != NULL)
		suffix = domain->suffix;
	err = name_parse_long_alias(name, suffix, ret, why);
	/* The beginning of a longer suffix? */
	(void)snprintf(longer, sizeof(longer), "%.*s.%.*s", NAME_ALIAS_MAX,
	    name, NAME_ALIAS_MAX, suffix);
	if (err != SBX_OK && name_is_suffix(longer) &&
	    settings_domain(settings, longer) != NULL)
		return sbx_fail(why, SBX_BAD_NAME,
		    "'%.80s' is not a sandbox name: write %.160s", name,
		    longer);
	if (err != SBX_OK || strchr(ret->provider, '.') == NULL)
		return err;
	return sbx_fail(why, SBX_BAD_NAME,
	    "'%.80s' is not a sandbox name: the configuration has no "
	    "[domain \"%.80s.%s\"]",
	    name, ret->provider, suffix);
}

enum sbx_err
settings_check_domain(const struct settings_broker *domain, struct sbx_why *why)
{
	if (*domain->url != '\0')
		return SBX_OK;
	return sbx_fail(why, SBX_CONFIG,
	    "[domain \"%.80s\"] has no url: say where its broker is",
	    domain->suffix);
}

enum sbx_err
settings_choose(
    struct settings *settings, const char *name, struct sbx_why *why)
{
	const struct settings_broker *domain = settings_domain(settings, name);
	enum sbx_err err;

	if (domain == NULL)
		return SBX_OK;
	err = settings_check_domain(domain, why);
	if (err != SBX_OK)
		return err;
	sodium_memzero(settings->broker.token, sizeof(settings->broker.token));
	settings->broker = *domain;
	return SBX_OK;
}
