/* SPDX-License-Identifier: ISC */
#include "net/link.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "net/proxied.h"
#include "net/tls.h"
#include "net/ws.h"

#define KEEPALIVE_IDLE 60L /* seconds; then every KEEPALIVE_INTERVAL */
#define KEEPALIVE_INTERVAL 30L
#define AUTHORITY_LEN 280

struct link {
	int fd;
	struct tls *tls;
	struct ws *ws;
	bool finishing;
	bool finished;
};

/* --- the connection below a WebSocket */

static ssize_t
raw_read(void *context, void *bytes, size_t size)
{
	struct link *link = context;

	return link->tls != NULL ? tls_read(link->tls, bytes, size)
				 : recv(link->fd, bytes, size, MSG_DONTWAIT);
}

static ssize_t
raw_write(void *context, const void *bytes, size_t len)
{
	struct link *link = context;

	return link->tls != NULL
	    ? tls_write(link->tls, bytes, len)
	    : send(link->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --- libcurl: name, addresses, proxy */

#define SET(option, value)                                            \
	do {                                                          \
		if (code == CURLE_OK)                                 \
			code = curl_easy_setopt(easy, option, value); \
	} while (0)

/*
 * A tunnel through the proxy that is set for https, as the bytes are ours:
 * libcurl itself would only look at http_proxy for a connection without TLS
 * of its own.  It does look at NO_PROXY.
 */
static const char *
find_proxy(const struct link_request *request)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY",
		"all_proxy", "ALL_PROXY" };

	for (size_t i = 0; request->tls && i < sizeof(names) / sizeof(names[0]);
	     i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			return value;
	}
	return "";
}

static CURLcode
set_options(CURL *easy, const struct link_request *request, const char *url)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_PROXY, find_proxy(request));
	SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
	SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_ANY);
	SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->timeout);
	SET(CURLOPT_TIMEOUT_MS, (long)request->timeout);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE);
	SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL);
	return code;
}

static enum sbx_err
judge(const struct link_request *request, CURL *easy, CURLcode code,
    const char *detail, struct sbx_why *why)
{
	enum sbx_err err = proxied_judge(easy, VIEW_STR(request->host), why);

	if (err != SBX_OK)
		return err;
	return sbx_fail(why,
	    code == CURLE_OPERATION_TIMEDOUT ? SBX_TIMEOUT : SBX_UNAVAILABLE,
	    "cannot connect to %s port %s: %s", request->host, request->port,
	    *detail == '\0' ? curl_easy_strerror(code) : detail);
}

static void
put_authority(const struct link_request *request, char ret[AUTHORITY_LEN])
{
	bool v6 = strchr(request->host, ':') != NULL;

	(void)snprintf(ret, AUTHORITY_LEN, "%s%s%s:%s", v6 ? "[" : "",
	    request->host, v6 ? "]" : "", request->port);
}

static enum sbx_err
connect_with(CURL *easy, const struct link_request *request, int *ret_fd,
    struct sbx_why *why)
{
	char url[AUTHORITY_LEN + 8] = "http://", detail[CURL_ERROR_SIZE] = "";
	curl_socket_t fd = CURL_SOCKET_BAD;
	CURLcode code;

	if (strncmp(find_proxy(request), "https:", 6) == 0)
		return sbx_fail(why, SBX_CONFIG,
		    "a proxy that itself speaks TLS is not supported: "
		    "HTTPS_PROXY must be http://HOST:PORT");
	put_authority(request, url + strlen(url));
	code = set_options(easy, request, url);
	SET(CURLOPT_ERRORBUFFER, detail);
	if (code == CURLE_OK)
		code = curl_easy_perform(easy);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
	if (code != CURLE_OK)
		return judge(request, easy, code, detail, why);
	/* From here on libcurl is not needed: the connection is kept. */
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *ret_fd < 0 ? SBX_IO : SBX_OK;
}

static enum sbx_err
connect_socket(
    const struct link_request *request, int *ret_fd, struct sbx_why *why)
{
	CURL *easy = curl_easy_init();
	enum sbx_err err;

	if (easy == NULL)
		return SBX_NOMEM;
	err = connect_with(easy, request, ret_fd, why);
	curl_easy_cleanup(easy);
	return err;
}

/* --- the WebSocket */

static enum sbx_err
wait_ready(const struct link *link, const struct link_request *request,
    short events, struct sbx_why *why)
{
	struct pollfd pfd = { .fd = link->fd, .events = events };

	if (poll(&pfd, 1, request->timeout) != 0)
		return SBX_OK;
	return sbx_fail(why, SBX_TIMEOUT, "%s port %s: no answer in time",
	    request->host, request->port);
}

static enum sbx_err
send_request(struct link *link, const struct link_request *request,
    const struct buf *text, struct sbx_why *why)
{
	size_t sent = 0;

	while (sent < text->len) {
		ssize_t n = raw_write(link, text->p + sent, text->len - sent);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return sbx_fail(why, SBX_UNAVAILABLE, "%s port %s: %s",
			    request->host, request->port, strerror(errno));
		else if (wait_ready(link, request, POLLOUT, why) != SBX_OK)
			return SBX_TIMEOUT;
	}
	return SBX_OK;
}

/* All up to the empty line; what came behind it stays in ret too. */
static enum sbx_err
read_response(struct link *link, const struct link_request *request,
    struct buf *ret, size_t *ret_len, struct sbx_why *why)
{
	for (;;) {
		char bytes[1024];
		const char *end = strstr(buf_text(ret), "\r\n\r\n");
		ssize_t n;

		if (end != NULL) {
			*ret_len = (size_t)(end - buf_text(ret)) + 4;
			return SBX_OK;
		}
		if (ret->len >= 5 && memcmp(ret->p, "HTTP/", 5) != 0)
			return sbx_fail(why, SBX_PROTOCOL,
			    "%s port %s does not speak HTTP", request->host,
			    request->port);
		n = raw_read(link, bytes, sizeof(bytes));
		if (n > 0) {
			buf_put(ret, bytes, (size_t)n);
			if (buf_error(ret) != SBX_OK)
				return sbx_fail(why, SBX_TOO_LARGE,
				    "%s port %s: its answer has no end",
				    request->host, request->port);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return sbx_fail(why, SBX_UNAVAILABLE,
			    "%s port %s: it closed the connection",
			    request->host, request->port);
		else if (wait_ready(link, request, POLLIN, why) != SBX_OK)
			return SBX_TIMEOUT;
	}
}

static enum sbx_err
upgrade(
    struct link *link, const struct link_request *request, struct sbx_why *why)
{
	cleanup_buf struct buf text = BUF_INIT(WS_RESPONSE_MAX);
	cleanup_buf struct buf answer = BUF_INIT(WS_RESPONSE_MAX);
	cleanup_buf struct buf head = BUF_INIT(WS_RESPONSE_MAX);
	struct ws_io io = { raw_read, raw_write, link };
	char authority[AUTHORITY_LEN], key[WS_KEY_LEN];
	uint8_t random[16];
	size_t len = 0;
	enum sbx_err err;

	put_authority(request, authority);
	randombytes_buf(random, sizeof(random));
	ws_make_key(random, key);
	ws_put_request(authority, request->path, request->bearer, key, &text);
	err = buf_error(&text);
	if (err == SBX_OK)
		err = send_request(link, request, &text, why);
	if (err == SBX_OK)
		err = read_response(link, request, &answer, &len, why);
	if (err != SBX_OK)
		return err;
	buf_put(&head, answer.p, len);
	err = ws_judge_response(buf_text(&head), key, request->host, why);
	return err != SBX_OK
	    ? err
	    : ws_new(&io, VIEW(answer.p + len, answer.len - len), &link->ws);
}

enum sbx_err
link_open(
    const struct link_request *request, struct link **ret, struct sbx_why *why)
{
	struct tls_request tls = { request->host, request->port,
		request->ca_file, request->alpn, request->timeout };
	struct link *link = calloc(1, sizeof(*link));
	enum sbx_err err;

	if (link == NULL)
		return SBX_NOMEM;
	link->fd = -1;
	err = connect_socket(request, &link->fd, why);
	if (err == SBX_OK && request->tls)
		err = tls_open(&tls, link->fd, &link->tls, why);
	if (err == SBX_OK && request->web)
		err = upgrade(link, request, why);
	if (err == SBX_OK)
		*ret = link;
	else
		link_free(link);
	return err;
}

void
link_free(struct link *link)
{
	if (link == NULL)
		return;
	ws_free(link->ws);
	tls_free(link->tls);
	if (link->fd >= 0)
		(void)close(link->fd);
	free(link);
}

int
link_fd(const struct link *link)
{
	return link->fd;
}

ssize_t
link_read(struct link *link, void *bytes, size_t size)
{
	return link->ws != NULL ? ws_read(link->ws, bytes, size)
				: raw_read(link, bytes, size);
}

ssize_t
link_write(struct link *link, const void *bytes, size_t len)
{
	return link->ws != NULL ? ws_write(link->ws, bytes, len)
				: raw_write(link, bytes, len);
}

/* close_notify, or FIN where there is no TLS. */
static int
end_stream(struct link *link)
{
	if (link->tls != NULL)
		return tls_finish(link->tls);
	return shutdown(link->fd, SHUT_WR);
}

int
link_flush(struct link *link)
{
	if (link->ws != NULL)
		return ws_flush(link->ws);
	if (!link->finishing || link->finished)
		return 0;
	if (end_stream(link) < 0)
		return -1;
	link->finished = true;
	return 0;
}

void
link_finish(struct link *link)
{
	/* With a WebSocket it is the Close that ends a direction. */
	if (link->ws != NULL)
		ws_finish(link->ws);
	link->finishing = true;
}

bool
link_ping(struct link *link)
{
	if (link->ws == NULL)
		return false;
	if (!link->finishing)
		ws_ping(link->ws);
	return true;
}
