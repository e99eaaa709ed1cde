/* SPDX-License-Identifier: ISC */
#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/text.h"
#include "net/proxied.h"

#define HEADERS_MAX 65536
#define POLL_MS 200

struct transfer {
	struct buf *body;
	size_t headers; /* bytes of them so far */
	struct http_head head;
	bool too_large;
	char detail[CURL_ERROR_SIZE];
	long os_error;	  /* errno of connect(2), or 0 */
	bool crowded;	  /* the socket's queue had no place for us */
	bool absent;	  /* nobody listens at it */
	bool unheard;	  /* whoever did has ended */
	bool goes_on;	  /* its first line is enough */
	bool running;	  /* it has not ended */
	int64_t deadline; /* for that line, CLOCK_MONOTONIC milliseconds */
};

static size_t
on_body(char *bytes, size_t size, size_t n, void *context)
{
	struct transfer *t = context;

	if (t->body->len + size * n <= HTTP_BODY_MAX)
		buf_put(t->body, bytes, size * n);
	else
		buf_fail(t->body, SBX_TOO_LARGE);
	t->too_large = buf_error(t->body) == SBX_TOO_LARGE;
	return buf_error(t->body) == SBX_OK ? size * n : 0;
}

/* The value of a line of that name, or of one with a suffix if open. */
static bool
value_of(struct view line, const char *name, bool open, char *ret, size_t size)
{
	const uint8_t *colon =
	    line.len == 0 ? NULL : memchr(line.p, ':', line.len);
	size_t len = strlen(name), has;
	struct view word;

	if (colon == NULL)
		return false;
	has = (size_t)(colon - line.p);
	if (has < len || strncasecmp((const char *)line.p, name, len) != 0 ||
	    (has > len && !(open && line.p[len] == '-')))
		return false;
	word = VIEW(colon + 1, line.len - has - 1);
	while (word.len > 0 && memchr(" \r\n", word.p[word.len - 1], 3) != NULL)
		word.len--;
	while (word.len > 0 && *word.p == ' ') {
		word.p++;
		word.len--;
	}
	return text_copy(word, ret, size) == SBX_OK;
}

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After-anonymous: 17" */
static void
take_header(struct view line, struct http_head *ret)
{
	char value[64];
	time_t date;

	if (value_of(line, "date", false, value, sizeof(value))) {
		date = curl_getdate(value, NULL);
		if (date > 0)
			ret->date = (uint64_t)date;
	}
	if (value_of(line, "retry-after", true, value, sizeof(value)) &&
	    text_uint(value, 1, UINT32_MAX, &ret->retry_after) != SBX_OK)
		ret->retry_after = 0;
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *context)
{
	struct transfer *t = context;

	take_header(VIEW(bytes, size * n), &t->head);
	t->headers += size * n;
	t->too_large = t->headers > HEADERS_MAX;
	return t->too_large ? 0 : size * n;
}

/* libcurl's codes that are not simply a bad answer. */
static const struct {
	CURLcode code;
	enum sbx_err err;
	const char *advice;
} codes[] = {
	{ CURLE_OPERATION_TIMEDOUT, SBX_TIMEOUT,
	    "gave no whole answer in time" },
	{ CURLE_COULDNT_RESOLVE_HOST, SBX_UNAVAILABLE, "cannot be found" },
	{ CURLE_COULDNT_RESOLVE_PROXY, SBX_UNAVAILABLE,
	    "cannot be reached, its proxy cannot be found" },
	{ CURLE_COULDNT_CONNECT, SBX_UNAVAILABLE, "cannot be reached" },
	{ CURLE_GOT_NOTHING, SBX_UNAVAILABLE, "gave no answer" },
	{ CURLE_SEND_ERROR, SBX_UNAVAILABLE, "broke the connection" },
	{ CURLE_RECV_ERROR, SBX_UNAVAILABLE, "broke the connection" },
	{ CURLE_SSL_CONNECT_ERROR, SBX_REFUSED, "failed at TLS" },
	{ CURLE_PEER_FAILED_VERIFICATION, SBX_REFUSED,
	    "has a TLS certificate that is not to be trusted" },
	{ CURLE_SSL_CACERT_BADFILE, SBX_CONFIG,
	    "cannot be asked, ca_file cannot be used" },
	{ CURLE_OUT_OF_MEMORY, SBX_NOMEM, "cannot be asked" },
};

static enum sbx_err
judge(const struct http_request *request, CURL *easy, CURLcode code,
    const struct transfer *t, struct sbx_why *why)
{
	const char *where = request->url, *scheme = strstr(where, "://");
	const char *advice = "gave an answer that is not HTTP as it should be";
	const char *detail = curl_easy_strerror(code);
	enum sbx_err err;
	size_t len;
	bool asks; /* somebody may have forgotten to start it */

	if (code == CURLE_OK)
		return SBX_OK;
	len = scheme == NULL
	    ? strlen(where)
	    : 3 + (size_t)(scheme - where) + strcspn(scheme + 3, "/");
	/* The broker has not refused: it was not reached. */
	if (proxied_judge(easy, VIEW(where, len), why) != SBX_OK)
		return SBX_UNAVAILABLE;
	err = SBX_PROTOCOL;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code) {
			err = codes[i].err;
			advice = codes[i].advice;
		}
	}
	if (code == CURLE_COULDNT_CONNECT && t->os_error == EACCES)
		err = SBX_REFUSED;
	if (t->crowded) {
		err = SBX_TIMEOUT;
		advice = "has more callers than it can take";
	}
	if (t->too_large) {
		err = SBX_TOO_LARGE;
		advice = "gave an answer that is too large";
	}
	if (request->unix_socket != NULL) {
		where = request->unix_socket;
		len = strlen(where);
	}
	asks = err == SBX_UNAVAILABLE && code == CURLE_COULDNT_CONNECT &&
	    request->who == NULL;
	/* libcurl would name "localhost port 80" for a socket. */
	if (t->crowded)
		detail = "its queue is full";
	else if (code == CURLE_COULDNT_CONNECT && t->os_error != 0)
		detail = strerror((int)t->os_error);
	else if (t->detail[0] != '\0')
		detail = t->detail;
	return sbx_fail(why, err, "%s at %s%.*s %s: %s%s%s",
	    request->who != NULL ? request->who : "broker",
	    request->unix_socket != NULL ? "unix:" : "", (int)len, where,
	    advice, detail, asks ? ": " : "",
	    !asks ? ""
		: t->absent && request->absent != NULL
		? request->absent
		: "is sandboxd running?");
}

#define SET(option, value)                                            \
	do {                                                          \
		if (code == CURLE_OK)                                 \
			code = curl_easy_setopt(easy, option, value); \
	} while (0)

static CURLcode
set_transport(CURL *easy, const struct http_request *request)
{
	CURLcode code = CURLE_OK;
	bool tls = strncmp(request->url, "https:", 6) == 0;

	SET(CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
#else
	SET(CURLOPT_PROTOCOLS, (long)(tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)request->timeout);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (request->unix_socket != NULL)
		SET(CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	/* Instead of the system's: libcurl may have a folder of those, too. */
	if (request->ca_file != NULL) {
		SET(CURLOPT_CAINFO, request->ca_file);
		SET(CURLOPT_CAPATH, (char *)NULL);
	}
	/* $https_proxy and $no_proxy count for https only: the rest is here. */
	if (!tls)
		SET(CURLOPT_PROXY, "");
	return code;
}

static CURLcode
set_message(CURL *easy, const struct http_request *request,
    struct curl_slist *headers, struct transfer *t)
{
	CURLcode code = CURLE_OK;
	const char *body = request->body;

	if (body == NULL && strcmp(request->method, "POST") == 0)
		body = "";
	if (body != NULL)
		SET(CURLOPT_POSTFIELDS, body);
	SET(CURLOPT_CUSTOMREQUEST, request->method);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	if (request->bearer != NULL) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		SET(CURLOPT_XOAUTH2_BEARER, request->bearer);
	}
	SET(CURLOPT_ERRORBUFFER, t->detail);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	return code;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
has_line(CURL *easy, const struct transfer *t)
{
	long status = 0;

	return t->goes_on && t->body->len > 0 &&
	    memchr(t->body->p, '\n', t->body->len) != NULL &&
	    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) ==
	    CURLE_OK &&
	    status >= 200 && status <= 299;
}

/* Several steps a second, so that progress can be shown. */
static CURLcode
run(CURLM *multi, CURL *easy, const struct http_request *request,
    struct transfer *t)
{
	int running = 0, left = 0;
	const struct CURLMsg *message;

	do {
		if (t->goes_on && now_ms() > t->deadline)
			return CURLE_OPERATION_TIMEDOUT;
		if (curl_multi_perform(multi, &running) != CURLM_OK ||
		    (running > 0 &&
			curl_multi_poll(multi, NULL, 0, POLL_MS, NULL) !=
			    CURLM_OK))
			return CURLE_FAILED_INIT;
		if (running > 0 && request->progress != NULL)
			request->progress(request->progress_context);
		if (running > 0 && has_line(easy, t))
			return CURLE_OK;
	} while (running > 0);
	t->running = false;
	message = curl_multi_info_read(multi, &left);
	return message == NULL ? CURLE_FAILED_INIT : message->data.result;
}

/*
 * A UNIX socket whose queue is full: connect(2) says EAGAIN, and libcurl that
 * it could not connect, without an error of the system's.
 */
static void
tell_why_not(
    const struct http_request *request, CURLcode code, struct transfer *t)
{
	bool failed =
	    request->unix_socket != NULL && code == CURLE_COULDNT_CONNECT;

	t->crowded = failed && t->os_error == 0;
	t->absent =
	    failed && (t->os_error == ENOENT || t->os_error == ECONNREFUSED);
	t->unheard = request->harmless && t->headers == 0 &&
	    (code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
		code == CURLE_RECV_ERROR);
}

/*
 * Again and again as long as there is no place, or nobody who listens: nothing
 * was done so far.
 */
static CURLcode
run_with_patience(CURLM *multi, CURL *easy, const struct http_request *request,
    struct transfer *t)
{
	long left = (long)request->timeout * 1000;
	long patience = (long)request->patience * 1000;
	CURLcode code;

	for (;;) {
		t->deadline = now_ms() + left;
		if (curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			t->goes_on ? 0L : left) != CURLE_OK ||
		    curl_multi_add_handle(multi, easy) != CURLM_OK)
			return CURLE_FAILED_INIT;
		t->running = true;
		code = run(multi, easy, request, t);
		(void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &t->os_error);
		tell_why_not(request, code, t);
		left -= t->crowded ? POLL_MS : 0;
		patience -= t->absent || t->unheard ? POLL_MS : 0;
		if (!(t->crowded && left > 0) &&
		    !((t->absent || t->unheard) && patience > 0))
			return code;
		(void)curl_multi_remove_handle(multi, easy);
		(void)poll(NULL, 0, POLL_MS);
		if (request->progress != NULL)
			request->progress(request->progress_context);
	}
}

/* What one transfer holds of libcurl's. */
struct handles {
	CURL *easy;
	CURLM *multi;
	struct curl_slist *headers;
};

static void
free_handles(struct handles *h)
{
	if (h->multi != NULL && h->easy != NULL)
		(void)curl_multi_remove_handle(h->multi, h->easy);
	curl_easy_cleanup(h->easy);
	(void)curl_multi_cleanup(h->multi);
	curl_slist_free_all(h->headers);
}

static bool
add_header(struct handles *h, const char *line)
{
	struct curl_slist *longer = curl_slist_append(h->headers, line);

	if (longer != NULL)
		h->headers = longer;
	return longer != NULL;
}

/* The answer, or the first line of it (transfer.goes_on). */
static enum sbx_err
perform(const struct http_request *request, struct handles *h,
    struct transfer *t, struct http_head *ret_head, struct sbx_why *why)
{
	CURLcode code;
	enum sbx_err err;

	h->easy = curl_easy_init();
	h->multi = curl_multi_init();
	/* Expect: empty, or a POST would wait for "100 Continue". */
	if (h->easy == NULL || h->multi == NULL ||
	    !add_header(h, "Accept: application/json") ||
	    !add_header(h, "Expect:") ||
	    (request->body != NULL &&
		!add_header(h, "Content-Type: application/json")))
		return SBX_NOMEM;
	for (size_t i = 0; request->headers != NULL && request->headers[i];
	     i++) {
		if (!add_header(h, request->headers[i]))
			return SBX_NOMEM;
	}
	code = set_transport(h->easy, request);
	if (code == CURLE_OK)
		code = set_message(h->easy, request, h->headers, t);
	if (code == CURLE_OK)
		code = run_with_patience(h->multi, h->easy, request, t);
	err = judge(request, h->easy, code, t, why);
	*ret_head = t->head;
	if (err == SBX_OK &&
	    curl_easy_getinfo(
		h->easy, CURLINFO_RESPONSE_CODE, &ret_head->status) != CURLE_OK)
		err = SBX_INTERNAL;
	return err;
}

enum sbx_err
http_perform(const struct http_request *request, struct http_head *ret_head,
    struct buf *ret_body, struct sbx_why *why)
{
	__attribute__((cleanup(free_handles))) struct handles h = { 0 };
	struct transfer t = { .body = ret_body };

	return perform(request, &h, &t, ret_head, why);
}

struct http_stream {
	struct handles handles;
	struct transfer transfer;
	struct buf body;
};

enum sbx_err
http_open(const struct http_request *request, struct http_head *ret_head,
    struct buf *ret_body, struct http_stream **ret, struct sbx_why *why)
{
	struct http_stream *s = calloc(1, sizeof(*s));
	enum sbx_err err;
	const uint8_t *end;

	*ret = NULL;
	if (s == NULL)
		return SBX_NOMEM;
	s->body = BUF_INIT(HTTP_BODY_MAX);
	s->transfer = (struct transfer){ .body = &s->body, .goes_on = true };
	err = perform(request, &s->handles, &s->transfer, ret_head, why);
	end = s->body.len == 0 ? NULL : memchr(s->body.p, '\n', s->body.len);
	if (end != NULL && s->transfer.running)
		buf_put(ret_body, s->body.p, (size_t)(end - s->body.p));
	else if (s->body.len > 0)
		buf_put(ret_body, s->body.p, s->body.len);
	if (err == SBX_OK)
		err = buf_error(ret_body);
	if (err == SBX_OK && s->transfer.running)
		*ret = s;
	else
		http_close(s);
	return err;
}

bool
http_wait(struct http_stream *s, int fd, int ms)
{
	struct curl_waitfd other = { fd, CURL_WAIT_POLLIN, 0 };
	int64_t deadline = now_ms() + ms;
	int running = 1;

	for (;;) {
		int64_t left = ms < 0 ? INT_MAX : deadline - now_ms();

		buf_reset(&s->body);
		if (curl_multi_perform(s->handles.multi, &running) !=
			CURLM_OK ||
		    running == 0)
			return false;
		if (left <= 0 || other.revents != 0)
			return true;
		if (curl_multi_poll(s->handles.multi, &other, fd >= 0,
			(int)left, NULL) != CURLM_OK)
			return false;
	}
}

void
http_close(struct http_stream *s)
{
	if (s == NULL)
		return;
	free_handles(&s->handles);
	buf_free(&s->body);
	free(s);
}
