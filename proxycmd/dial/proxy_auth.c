/* SPDX-License-Identifier: ISC */
#include "proxycmd/dial/proxy_auth.h"

#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "net/settings.h"

#define PAIR_MAX 1024

/* Blanks before, and the end of a line from Windows. */
static struct view
trim(struct view v)
{
	while (v.len > 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
		v.p++;
		v.len--;
	}
	if (v.len > 0 && v.p[v.len - 1] == '\r')
		v.len--;
	return v;
}

static bool
is_for(struct view proxy, const struct endpoint *endpoint)
{
	char text[ENDPOINT_HOST_LEN + ENDPOINT_PORT_LEN + 4];
	bool v6 = strchr(endpoint->host, ':') != NULL;

	(void)snprintf(text, sizeof(text), "%s%s%s:%s", v6 ? "[" : "",
	    endpoint->host, v6 ? "]" : "", endpoint->port);
	return view_eq_str(proxy, text);
}

static void
put_header(struct view user, struct view password, struct buf *ret)
{
	cleanup_buf struct buf pair = BUF_INIT(PAIR_MAX);

	buf_put_view(&pair, user);
	buf_put_text(&pair, ":");
	buf_put_view(&pair, password);
	if (buf_error(&pair) != SBX_OK)
		buf_fail(ret, buf_error(&pair));
	buf_put_text(ret, "Proxy-Authorization: Basic ");
	text_base64_encode(buf_view(&pair), ret);
	buf_put_text(ret, "\r\n");
}

enum sbx_err
proxy_auth_find(struct view text, const char *name,
    const struct endpoint *endpoint, struct buf *ret, struct sbx_why *why)
{
	struct view line, proxy, user;

	for (int number = 1; text_next_line(&text, &line); number++) {
		line = trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (!text_next_word(&line, &proxy) ||
		    !text_next_word(&line, &user) ||
		    memchr(user.p, ':', user.len) != NULL ||
		    trim(line).len == 0)
			return sbx_fail(why, SBX_CONFIG,
			    "%s:%d: not a line \"HOST:PORT USER PASSWORD\"",
			    name, number);
		if (!is_for(proxy, endpoint) ||
		    (endpoint->user[0] != '\0' &&
			!view_eq_str(user, endpoint->user)))
			continue;
		put_header(user, trim(line), ret);
		return buf_error(ret);
	}
	return SBX_OK;
}

enum sbx_err
proxy_auth_put(const struct endpoint *endpoint, const struct dial_setup *setup,
    struct buf *ret, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(PROXY_AUTH_FILE_MAX);
	struct settings settings;
	enum sbx_err err =
	    settings_read(setup->paths, setup->config, &settings, why);

	if (err != SBX_OK || settings.credentials_file[0] == '\0')
		return err;
	err = file_read_trusted(settings.credentials_file, getuid(),
	    /* forbidden= */ 077, &text, why);
	if (err == SBX_NOT_FOUND)
		return sbx_fail(why, SBX_CONFIG,
		    "credentials_file %s does not exist",
		    settings.credentials_file);
	return err != SBX_OK
	    ? err
	    : proxy_auth_find(buf_view(&text), settings.credentials_file,
		  endpoint, ret, why);
}
