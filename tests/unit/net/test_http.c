/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/http.h"

/* What the server does once it has read a request. */
enum manner {
	SEND,  /* the text, then hang up */
	HANG,  /* the text, then nothing */
	DRIP,  /* the text, then a byte now and then, for ever */
	FLOOD, /* the text again and again, for ever */
};

struct row {
	const char *name;
	enum manner manner;
	const char *text;
	enum sbx_err want;
	long status;	  /* if SBX_OK */
	const char *body; /* if SBX_OK */
};

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct row rows[] = {
	{ "a whole answer", SEND, HEAD "Content-Length: 2\r\n\r\n{}", SBX_OK,
	    200, "{}" },
	{ "an answer that ends with the connection", SEND, HEAD "\r\n{}",
	    SBX_OK, 200, "{}" },
	{ "an answer in chunks", SEND,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n"
		 "\r\n",
	    SBX_OK, 200, "{}" },
	{ "an error status is an answer", SEND,
	    "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", SBX_OK,
	    404, "{}" },
	{ "a redirect is not followed", SEND,
	    "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n"
	    "\r\n",
	    SBX_OK, 302, "" },
	{ "no content", SEND, "HTTP/1.1 204 No Content\r\n\r\n", SBX_OK, 204,
	    "" },
	{ "less than Content-Length", SEND,
	    HEAD "Content-Length: 100\r\n\r\n{}", SBX_PROTOCOL, 0, NULL },
	{ "a chunk cut short", SEND,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n10\r\n{}", SBX_PROTOCOL, 0,
	    NULL },
	{ "another protocol", SEND, "SSH-2.0-OpenSSH_9.2\r\n", SBX_PROTOCOL, 0,
	    NULL },
	{ "nothing at all", SEND, "", SBX_UNAVAILABLE, 0, NULL },
	{ "silence", HANG, "", SBX_TIMEOUT, 0, NULL },
	{ "silence after the headers", HANG, HEAD "Content-Length: 9\r\n\r\n{}",
	    SBX_TIMEOUT, 0, NULL },
	{ "headers that drip", DRIP, HEAD "X: ", SBX_TIMEOUT, 0, NULL },
	{ "a body that drips", DRIP, HEAD "\r\n", SBX_TIMEOUT, 0, NULL },
	{ "headers without end", FLOOD, HEAD "X: y\r\nX: y\r\nX: y\r\nX: y\r\n",
	    SBX_TOO_LARGE, 0, NULL },
	{ "a body without end", FLOOD,
	    HEAD "\r\n{                                                  ",
	    SBX_TOO_LARGE, 0, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct server {
	const struct row *row;
	int listener;
	int stop;    /* its write end is closed when the test is over */
	int stopper; /* that one */
	int connections;
	char request[4096];
	pthread_t thread;
};

static char dir[] = "/tmp/test_http.XXXXXX";
static char socket_path[64];

/* false when the client has gone or the test is over. */
static bool
pause_for(int client, int stop, int milliseconds)
{
	struct pollfd fds[] = { { client, POLLRDHUP, 0 }, { stop, POLLIN, 0 } };

	return poll(fds, 2, milliseconds) == 0;
}

static bool
send_text(int client, const char *text)
{
	size_t len = strlen(text);

	return send(client, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void
serve(struct server *s, int client)
{
	ssize_t n = recv(client, s->request, sizeof(s->request) - 1, 0);
	bool going = send_text(client, s->row->text);

	s->request[n > 0 ? n : 0] = '\0';
	while (going && s->row->manner != SEND) {
		if (s->row->manner == FLOOD)
			going = send_text(client, s->row->text + strlen(HEAD));
		else
			going = pause_for(client, s->stop, 50) &&
			    (s->row->manner == HANG || send_text(client, "x"));
	}
}

static void *
server_main(void *context)
{
	struct server *s = context;

	for (;;) {
		struct pollfd fds[] = { { s->listener, POLLIN, 0 },
			{ s->stop, POLLIN, 0 } };
		int client;

		if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
			return NULL;
		client = accept(s->listener, NULL, NULL);
		if (client < 0)
			return NULL;
		s->connections++;
		serve(s, client);
		(void)close(client);
	}
}

static void
server_begin(struct server *s)
{
	int stop[2];

	assert_int_equal(pipe(stop), 0);
	s->stop = stop[0];
	s->stopper = stop[1];
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

static void
server_end(struct server *s)
{
	(void)close(s->stopper);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	(void)close(s->stop);
	(void)close(s->listener);
}

static void
server_run(struct server *s, int listener, const struct http_request *request,
    enum sbx_err *ret_err, struct http_head *ret_head, struct buf *body,
    struct sbx_why *why)
{
	s->listener = listener;
	server_begin(s);
	*ret_err = http_perform(request, ret_head, body, why);
	server_end(s);
}

static int
listen_unix(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	(void)unlink(socket_path);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static struct http_request
request_of(const char *method)
{
	return (struct http_request){ .method = method,
		.url = "http://localhost/v1/x",
		.unix_socket = socket_path,
		.bearer = "t0ken",
		.timeout = 1 };
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct server server = { .row = row };
	struct http_request request = request_of("GET");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	struct sbx_why why = { "" };
	enum sbx_err err;
	struct http_head head = { 0 };

	server_run(&server, listen_unix(), &request, &err, &head, &body, &why);
	assert_string_equal(sbx_err_name(err), sbx_err_name(row->want));
	assert_int_equal(server.connections, 1);
	assert_null(strstr(why.text, "t0ken"));
	if (err == SBX_OK) {
		assert_int_equal(head.status, row->status);
		assert_string_equal(buf_text(&body), row->body);
	} else {
		assert_non_null(strstr(why.text, socket_path));
	}
}

static void
test_its_clock(void **state)
{
	static const struct {
		struct row row;
		uint64_t want, retry_after;
	} dates[] = {
		{ { "told", SEND,
		      HEAD "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
		      SBX_OK, 200, "" },
		    784111777, 0 },
		{ { "when to come again", SEND, HEAD "Retry-After: 17\r\n\r\n",
		      SBX_OK, 200, "" },
		    0, 17 },
		{ { "the same with a suffix", SEND,
		      HEAD "retry-after-sandbox-lifecycle:  9\r\n\r\n", SBX_OK,
		      200, "" },
		    0, 9 },
		{ { "another header", SEND, HEAD "Retry-Afterwards: 9\r\n\r\n",
		      SBX_OK, 200, "" },
		    0, 0 },
		{ { "a date", SEND, HEAD "Retry-After: Sun\r\n\r\n", SBX_OK,
		      200, "" },
		    0, 0 },
		{ { "not told", SEND, HEAD "\r\n", SBX_OK, 200, "" }, 0, 0 },
		{ { "nonsense", SEND, HEAD "Date: soon\r\n\r\n", SBX_OK, 200,
		      "" },
		    0, 0 },
		{ { "before 1970", SEND,
		      HEAD "Date: Sun, 06 Nov 1960 08:49:37 GMT\r\n\r\n",
		      SBX_OK, 200, "" },
		    0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct server server = { .row = &dates[i].row };
		struct http_request request = request_of("GET");
		cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
		struct http_head head = { 0, 1, 2 };
		enum sbx_err err;

		server_run(
		    &server, listen_unix(), &request, &err, &head, &body, NULL);
		assert_int_equal(err, SBX_OK);
		assert_int_equal(head.date, dates[i].want);
		assert_int_equal(head.retry_after, dates[i].retry_after);
	}
}

/* An answer that goes on: what comes first, and then its end or its going on.
 */
static const struct stream_row {
	struct row row;
	bool open; /* a stream, that has not ended a moment later */
} streams[] = {
	{ { "a line, then silence", HANG, HEAD "\r\n{\"a\":1}\n", SBX_OK, 200,
	      "{\"a\":1}" },
	    true },
	{ { "a line in chunks, then silence", HANG,
	      HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n2\r\n}\n\r\n",
	      SBX_OK, 200, "{}" },
	    true },
	{ { "a line, then more", DRIP, HEAD "\r\n{}\n", SBX_OK, 200, "{}" },
	    true },
	{ { "no line", HANG, HEAD "\r\n{}", SBX_TIMEOUT, 0, NULL }, false },
	{ { "a refusal", SEND,
	      "HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\n{}\n", SBX_OK,
	      409, "{}\n" },
	    false },
	{ { "a refusal that goes on", HANG, "HTTP/1.1 409 Conflict\r\n\r\n{}\n",
	      SBX_TIMEOUT, 0, NULL },
	    false },
};

static void
judge_stream(const struct stream_row *row, struct http_stream *stream)
{
	int ready[2];

	assert_int_equal(stream != NULL, row->open);
	if (stream == NULL)
		return;
	assert_true(http_wait(stream, /* fd= */ -1, /* ms= */ 100));
	assert_int_equal(pipe(ready), 0);
	assert_true(http_wait(stream, ready[0], /* ms= */ 1));
	assert_int_equal(write(ready[1], "x", 1), 1);
	assert_true(http_wait(stream, ready[0], /* ms= */ -1));
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void
test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		const struct row *row = &streams[i].row;
		struct server server = { .row = row,
			.listener = listen_unix() };
		struct http_request request = request_of("POST");
		cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
		struct http_stream *stream = NULL;
		struct http_head head = { 0 };
		enum sbx_err err;

		server_begin(&server);
		err = http_open(&request, &head, &body, &stream, NULL);
		if (err != row->want)
			fail_msg("%s: %s", row->name, sbx_err_name(err));
		judge_stream(&streams[i], stream);
		if (err == SBX_OK)
			assert_string_equal(buf_text(&body), row->body);
		http_close(stream);
		server_end(&server);
	}
}

/* Whoever sent the line hangs up. */
static void
test_a_stream_ends(void **state)
{
	static const struct row row = { "a line, and the end", SEND,
		HEAD "\r\n{}\n", SBX_OK, 200, "{}" };
	struct server server = { .row = &row, .listener = listen_unix() };
	struct http_request request = request_of("POST");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	struct http_stream *stream = NULL;
	struct http_head head = { 0 };

	(void)state;
	server_begin(&server);
	assert_int_equal(
	    http_open(&request, &head, &body, &stream, NULL), SBX_OK);
	if (stream != NULL)
		assert_false(http_wait(stream, /* fd= */ -1, /* ms= */ -1));
	http_close(stream);
	server_end(&server);
}

static void
test_what_is_sent(void **state)
{
	struct server server = { .row = &rows[0] };
	struct http_request request = request_of("POST");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	enum sbx_err err;
	struct http_head head = { 0 };

	(void)state;
	request.body = "{\"a\":1}";
	server_run(&server, listen_unix(), &request, &err, &head, &body, NULL);
	assert_int_equal(err, SBX_OK);
	assert_memory_equal(server.request, "POST /v1/x HTTP/1.1\r\n", 21);
	assert_non_null(
	    strstr(server.request, "\r\nAuthorization: Bearer t0ken\r\n"));
	assert_non_null(
	    strstr(server.request, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(
	    strstr(server.request, "\r\nAccept: application/json\r\n"));
	assert_null(strstr(server.request, "Expect"));
	assert_non_null(strstr(server.request, "\r\n\r\n{\"a\":1}"));
}

static void
test_a_post_without_body(void **state)
{
	struct server server = { .row = &rows[0] };
	struct http_request request = request_of("POST");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	enum sbx_err err;
	struct http_head head = { 0 };

	(void)state;
	server_run(&server, listen_unix(), &request, &err, &head, &body, NULL);
	assert_int_equal(err, SBX_OK);
	assert_non_null(strstr(server.request, "\r\nContent-Length: 0\r\n"));
}

static void
test_no_listener(void **state)
{
	struct http_request request = request_of("GET");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	struct sbx_why why = { "" };
	struct http_head head = { 0 };

	(void)state;
	(void)unlink(socket_path);
	assert_int_equal(
	    http_perform(&request, &head, &body, &why), SBX_UNAVAILABLE);
	assert_non_null(strstr(why.text, "is sandboxd running?"));
}

/* How many it took. */
static int
fill_queue(int ret[8])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int count = 0;

	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	for (;; count++) {
		assert_in_range(count, 0, 7);
		ret[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(ret[count], (struct sockaddr *)&address,
			sizeof(address)) < 0)
			break;
	}
	(void)close(ret[count]);
	return count;
}

static void
test_no_place_in_the_queue(void **state)
{
	struct http_request request = request_of("GET");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	struct sbx_why why = { "" };
	int listener = listen_unix(), others[8], count;
	struct http_head head = { 0 };

	(void)state;
	count = fill_queue(others);
	assert_int_equal(
	    http_perform(&request, &head, &body, &why), SBX_TIMEOUT);
	assert_non_null(strstr(why.text, "more callers than it can take"));
	for (int i = 0; i < count; i++)
		(void)close(others[i]);
	(void)close(listener);
}

struct crowd {
	int fd[8], count;
	struct server *server;
	bool gone;
};

/* Nobody is served before the client has waited. */
static void
crowd_goes(void *context)
{
	struct crowd *crowd = context;

	if (crowd->gone)
		return;
	crowd->gone = true;
	for (int i = 0; i < crowd->count; i++)
		(void)close(crowd->fd[i]);
	if (pthread_create(
		&crowd->server->thread, NULL, server_main, crowd->server) != 0)
		abort();
}

static void
test_a_place_is_waited_for(void **state)
{
	struct server server = { .row = &rows[0], .listener = listen_unix() };
	struct crowd crowd = { .server = &server };
	struct http_request request = request_of("GET");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	struct http_head head = { 0 };
	int stop[2];

	(void)state;
	assert_int_equal(pipe(stop), 0);
	server.stop = stop[0];
	crowd.count = fill_queue(crowd.fd);
	request.timeout = 30;
	request.progress = crowd_goes;
	request.progress_context = &crowd;
	assert_int_equal(http_perform(&request, &head, &body, NULL), SBX_OK);
	assert_int_equal(head.status, 200);
	(void)close(stop[1]);
	assert_int_equal(pthread_join(server.thread, NULL), 0);
	(void)close(stop[0]);
	(void)close(server.listener);
}

static int
listen_tcp(char url[static 64], const char *scheme)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(
	    url, 64, "%s://127.0.0.1:%d/v1/x", scheme, ntohs(address.sin_port));
	return fd;
}

static void
test_a_server_without_tls(void **state)
{
	struct server server = { .row = &rows[0] };
	struct http_request request = request_of("GET");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	struct sbx_why why = { "" };
	char url[64];
	int listener = listen_tcp(url, "https");
	enum sbx_err err;
	struct http_head head = { 0 };

	(void)state;
	request.unix_socket = NULL;
	request.url = url;
	server_run(&server, listener, &request, &err, &head, &body, &why);
	assert_string_equal(sbx_err_name(err), sbx_err_name(SBX_REFUSED));
	/* The token went nowhere. */
	assert_null(strstr(server.request, "t0ken"));
}

/* The proxy of the environment, which is not there, is for others. */
static void
test_loopback_needs_no_proxy(void **state)
{
	struct server server = { .row = &rows[0] };
	struct http_request request = request_of("GET");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	char url[64];
	int listener = listen_tcp(url, "http");
	enum sbx_err err;
	struct http_head head = { 0 };

	(void)state;
	request.unix_socket = NULL;
	request.url = url;
	server_run(&server, listener, &request, &err, &head, &body, NULL);
	assert_int_equal(err, SBX_OK);
	assert_int_equal(server.connections, 1);
}

static void
count_step(void *context)
{
	++*(int *)context;
}

static void
test_progress_is_shown(void **state)
{
	static const struct row silence = { .manner = HANG, .text = "" };
	struct server server = { .row = &silence };
	struct http_request request = request_of("GET");
	cleanup_buf struct buf body = BUF_INIT(HTTP_BODY_MAX);
	enum sbx_err err;
	int steps = 0;
	struct http_head head = { 0 };

	(void)state;
	request.progress = count_step;
	request.progress_context = &steps;
	server_run(&server, listen_unix(), &request, &err, &head, &body, NULL);
	assert_int_equal(err, SBX_TIMEOUT);
	assert_true(steps >= 2);
}

static int
set_up(void **state)
{
	(void)state;
	/* An environment with a proxy must not matter here. */
	(void)unsetenv("no_proxy");
	(void)unsetenv("https_proxy");
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(socket_path, sizeof(socket_path), "%s/s", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(socket_path);
	return rmdir(dir);
}

int
main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_its_clock),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_a_stream_ends),
		cmocka_unit_test(test_what_is_sent),
		cmocka_unit_test(test_a_post_without_body),
		cmocka_unit_test(test_no_listener),
		cmocka_unit_test(test_no_place_in_the_queue),
		cmocka_unit_test(test_a_place_is_waited_for),
		cmocka_unit_test(test_a_server_without_tls),
		cmocka_unit_test(test_loopback_needs_no_proxy),
		cmocka_unit_test(test_progress_is_shown),
	};
	struct CMUnitTest tests[ROWS + sizeof(others) / sizeof(others[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
			NULL, (void *)&rows[i] };
	memcpy(tests + ROWS, others, sizeof(others));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
