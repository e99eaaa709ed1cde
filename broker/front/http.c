/* SPDX-License-Identifier: ISC */
#include "broker/front/http.h"

#include <fcntl.h>
#include <locale.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "broker/front/body.h"
#include "broker/front/door.h"
#include "broker/front/peers.h"
#include "broker/front/stream.h"
#include "broker/life/events.h"
#include "common/cleanup.h"
#include "common/text.h"

/* Seconds for all of a request, and between bytes. */
#define PATIENCE 15
/* Seconds for what has come in when the end comes; see serve.c's DRAIN. */
#define LAST_CALLS 4
#define HEADERS_MAX (32 * 1024)
#define THREAD_STACK (512 * 1024)
/* A body that is too large is still read to its end up to this. */
#define BODY_SWALLOW_MAX (1024 * 1024)
#define PATH_LEN_MAX 512

struct http {
	struct MHD_Daemon *daemon;
	struct broker *broker;
	struct peers *peers;
	struct discard *discard;
	struct door *door;
	int unread_fd; /* of the one that the library closes just now; or -1 */
	http_observer *observer;
};

/* One request on its way in. */
struct request {
	struct buf body;
	size_t received;
	bool begun;
	bool bad_uri;
};

static int
fd_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info == NULL ? -1 : info->connect_fd;
}

static struct peer *
peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

/*
 * Out.
 */

static struct MHD_Response *
respond(struct http *http, struct MHD_Connection *connection,
    const struct answer *answer)
{
	const char *text = answer->body == NULL
	    ? ""
	    : json_object_to_json_string_ext(answer->body,
		  JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (*answer->tied != '\0')
		return stream_new(
		    http->broker, fd_of(connection), answer, text);
	return text == NULL
	    ? NULL
	    : MHD_create_response_from_buffer(
		  strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
}

static const char *
type_of(const struct answer *answer)
{
	if (answer->status >= 400)
		return "application/problem+json";
	return *answer->tied == '\0' ? "application/json" : "application/jsonl";
}

static enum MHD_Result
send_answer(struct http *http, struct MHD_Connection *connection,
    const struct answer *answer)
{
	struct MHD_Response *response = respond(http, connection, answer);
	enum MHD_Result result = MHD_NO;

	if (response == NULL)
		return MHD_NO;
	if ((answer->body == NULL ||
		MHD_add_response_header(
		    response, "Content-Type", type_of(answer)) == MHD_YES) &&
	    (*answer->allow == '\0' ||
		MHD_add_response_header(response, "Allow", answer->allow) ==
		    MHD_YES))
		result =
		    MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
finish(struct http *http, struct MHD_Connection *connection,
    const struct call *call, struct answer *answer, enum sbx_err err,
    const struct sbx_why *why)
{
	enum MHD_Result result = send_answer(http, connection, answer);

	http->observer(&(struct http_event){ call, answer->status, err, why });
	(void)json_object_put(answer->body);
	return result;
}

static enum MHD_Result
refuse_busy(struct http *http, struct MHD_Connection *connection,
    const struct call *call)
{
	struct sbx_why why = { "" };
	enum sbx_err err = sbx_fail(&why, SBX_REFUSED,
	    "%s has too many calls under way: wait for one to end",
	    call->caller.name);
	struct answer answer = answer_problem_with(429, err, &why);

	return finish(http, connection, call, &answer, err, &why);
}

static enum MHD_Result
refuse(struct http *http, struct MHD_Connection *connection,
    const struct call *call, enum sbx_err err, const char *text)
{
	struct sbx_why why = { "" };
	struct answer answer =
	    answer_problem(sbx_fail(&why, err, "%s", text), &why);

	return finish(http, connection, call, &answer, err, &why);
}

/*
 * In.
 */

struct query_fill {
	struct call *call;
	bool fits;
};

static enum MHD_Result
on_query(void *context, enum MHD_ValueKind kind, const char *key,
    size_t key_len, const char *value, size_t value_len)
{
	struct query_fill *fill = context;
	struct call *call = fill->call;
	struct call_query *q = &call->query[call->query_count];

	(void)kind;
	if (call->query_count == CALL_QUERY_MAX ||
	    text_copy(VIEW(key, key_len), q->name, sizeof(q->name)) != SBX_OK ||
	    text_copy(VIEW(value, value == NULL ? 0 : value_len), q->value,
		sizeof(q->value)) != SBX_OK) {
		fill->fits = false;
		return MHD_NO;
	}
	call->query_count++;
	return MHD_YES;
}

static enum MHD_Result
run_call(struct http *http, struct MHD_Connection *connection,
    struct request *request, struct call *call, bool *ret_goes_on)
{
	struct query_fill fill = { call, true };
	struct sbx_why why = { "" };
	struct answer answer;
	enum sbx_err err;

	if (request->received > BODY_MAX)
		return refuse(http, connection, call, SBX_TOO_LARGE,
		    "the body is larger than 64 KiB");
	if (buf_error(&request->body) != SBX_OK)
		return refuse(http, connection, call, SBX_NOMEM,
		    "sandboxd is out of memory");
	(void)MHD_get_connection_values_n(
	    connection, MHD_GET_ARGUMENT_KIND, on_query, &fill);
	if (!fill.fits || request->bad_uri)
		return refuse(http, connection, call, SBX_BAD_VALUE,
		    "the path or the query is malformed or too long");
	call->body = buf_view(&request->body);
	answer = routes_answer(http->broker, call, &err, &why);
	*ret_goes_on = *answer.tied != '\0';
	return finish(http, connection, call, &answer, err, &why);
}

/* A peer and those among whom it is. */
struct among {
	struct peers *peers;
	struct peer *peer;
};

static bool
take_stream(void *context)
{
	const struct among *among = context;

	return peer_begin_stream(among->peers, among->peer);
}

/* On one connection it is always the same, but accounts may change. */
static enum sbx_err
who_calls(struct http *http, struct MHD_Connection *connection,
    struct peer *peer, struct caller *ret, struct sbx_why *why)
{
	enum sbx_err err;

	if (peer_recall_caller(peer, ret))
		return SBX_OK;
	err = access_peer(http->broker->settings, http->broker->persons,
	    fd_of(connection), ret, why);
	if (err == SBX_OK)
		peer_keep_caller(peer, ret);
	return err;
}

/* All of it is here. */
static enum MHD_Result
on_complete(struct http *http, struct MHD_Connection *connection,
    struct request *request, const char *method, const char *path)
{
	cleanup_free struct call *call = calloc(1, sizeof(*call));
	struct sbx_why why = { "" };
	struct peer *peer = peer_of(connection);
	struct among among = { http->peers, peer };
	enum MHD_Result result;
	bool goes_on = false;
	enum sbx_err err;

	if (call == NULL || peer == NULL)
		return MHD_NO;
	/*
	 * json-c makes a copy of the thread's locale for all that it parses,
	 * under a lock that all threads share; of this one it need not.
	 */
	(void)uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
	call->method = method;
	call->path = path;
	call->take_stream = take_stream;
	call->context = &among;
	call->fd = fd_of(connection);
	err = who_calls(http, connection, peer, &call->caller, &why);
	if (err != SBX_OK) {
		events_refuse(http->broker, &call->caller, "", err, &why);
		return refuse(http, connection, call, err, why.text);
	}
	if (!peer_begin_call(http->peers, peer))
		return refuse_busy(http, connection, call);
	/* A call may take longer than a connection may idle. */
	(void)MHD_set_connection_option(
	    connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	result = run_call(http, connection, request, call, &goes_on);
	if (!goes_on) {
		peer_end_stream(http->peers, peer);
		(void)MHD_set_connection_option(connection,
		    MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)PATIENCE);
	}
	peer_end_call(http->peers, peer);
	return result;
}

static bool
take_body(struct request *request, const char *data, size_t *size)
{
	request->received += *size;
	if (request->received <= BODY_MAX)
		buf_put(&request->body, data, *size);
	*size = 0;
	return request->received <= BODY_SWALLOW_MAX;
}

/*
 * Refused before it is read.  Not so a body that is only a little too large:
 * whoever is still sending when we hang up may never see the answer.
 */
static bool
announces_too_much(struct MHD_Connection *connection)
{
	const char *text = MHD_lookup_connection_value(
	    connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t length;

	return text != NULL &&
	    text_uint(text, 0, BODY_SWALLOW_MAX, &length) != SBX_OK;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *data, size_t *size,
    void **request_at)
{
	struct http *http = context;
	struct request *request = *request_at;

	(void)version;
	if (request == NULL)
		return MHD_NO;
	if (!request->begun) {
		const struct call call = { .method = method, .path = path };

		request->begun = true;
		if (announces_too_much(connection))
			return refuse(http, connection, &call, SBX_TOO_LARGE,
			    "the body is larger than 64 KiB");
		return MHD_YES;
	}
	if (*size > 0)
		return take_body(request, data, size) ? MHD_YES : MHD_NO;
	return on_complete(http, connection, request, method, path);
}

/*
 * The first that we hear of a request, with the path as it was sent.  A
 * %00 in it would end the unescaped path early.
 */
static void *
on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct request *request = calloc(1, sizeof(*request));
	struct peer *peer = peer_of(connection);
	struct http *http = context;

	if (peer != NULL)
		peer_set_waiting(http->peers, peer, true);
	if (request == NULL)
		return NULL;
	request->body = BUF_INIT(BODY_MAX);
	request->bad_uri =
	    strstr(uri, "%00") != NULL || strcspn(uri, "?") > PATH_LEN_MAX;
	return request;
}

static void
on_end(void *context, struct MHD_Connection *connection, void **request_at,
    enum MHD_RequestTerminationCode code)
{
	struct request *request = *request_at;
	struct peer *peer = peer_of(connection);
	struct http *http = context;

	(void)code;
	if (peer != NULL) {
		peer_end_stream(http->peers, peer);
		peer_set_waiting(http->peers, peer, false);
	}
	if (request == NULL)
		return;
	buf_free(&request->body);
	free(request);
	*request_at = NULL;
}

/*
 * Connections.
 */

/*
 * The library closes it in the thread that all others wait for.  So what was
 * not read, where descriptors may be, is closed by somebody else.
 */
static void
keep_unread(struct http *http, int fd)
{
	int unread = 0;

	/* No more comes in after this. */
	(void)shutdown(fd, SHUT_RD);
	if (ioctl(fd, FIONREAD, &unread) == 0 && unread > 0)
		http->unread_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* By the next call the library has closed its own. */
static void
discard_unread(struct http *http)
{
	if (http->unread_fd >= 0)
		discard_put(http->discard, http->unread_fd);
	http->unread_fd = -1;
}

/* All of these calls come from one thread. */
static void
on_connection(void *context, struct MHD_Connection *connection, void **peer_at,
    enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;

	discard_unread(http);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*peer_at = peer_arrive(http->peers, fd_of(connection));
		return;
	}
	keep_unread(http, fd_of(connection));
	if (*peer_at != NULL)
		peer_remove(http->peers, *peer_at);
	*peer_at = NULL;
}

/* Whoever is let in has room here, too: see start_library(). */
static void
on_entry(void *context, int fd)
{
	static const struct sockaddr nameless = { .sa_family = AF_UNIX };
	struct http *http = context;

	(void)MHD_add_connection(
	    http->daemon, fd, &nameless, sizeof(nameless.sa_family));
}

/* Garbage on a connection is its sender's concern, not the log's. */
static void
on_library_message(void *context, const char *format, va_list ap)
{
	(void)context, (void)format, (void)ap;
}

/*
 * Without a listening socket: at its limit the library hangs up on anyone,
 * root too, and those whom it was told to hang up on count until their
 * threads have ended.  So the door lets in only whom it may serve.  A
 * connection still counts here for a moment after peers let go of it: hence
 * one more.
 */
static struct MHD_Daemon *
start_library(struct http *http, unsigned connections)
{
	return MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION |
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
		MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG,
	    0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER,
	    on_library_message, NULL, MHD_OPTION_CONNECTION_LIMIT,
	    connections + 1, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
	    MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
	    MHD_OPTION_URI_LOG_CALLBACK, on_uri, http,
	    MHD_OPTION_NOTIFY_COMPLETED, on_end, http,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

static enum sbx_err
start(struct http *http, int listen_fd)
{
	const struct broker_settings *settings = http->broker->settings;
	const struct peers_limits limits = { settings->connections,
		settings->own_uid, PATIENCE };
	enum sbx_err err = peers_new(&limits, &http->peers);

	if (err == SBX_OK)
		err = discard_new(&http->discard);
	if (err != SBX_OK)
		return err;
	http->daemon = start_library(http, (unsigned)settings->connections);
	if (http->daemon == NULL)
		return SBX_UNAVAILABLE;
	return door_open(
	    &(struct door_setup){ listen_fd, http->peers, http->broker->persons,
		http->discard, on_entry, http },
	    &http->door);
}

enum sbx_err
http_start(struct broker *broker, int listen_fd, http_observer *observer,
    struct http **ret, struct sbx_why *why)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL)
		return SBX_NOMEM;
	*http = (struct http){
		.broker = broker, .observer = observer, .unread_fd = -1
	};
	if (start(http, listen_fd) != SBX_OK) {
		http_stop(http);
		return sbx_fail(why, SBX_UNAVAILABLE,
		    "the HTTP server does not start: too few descriptors or "
		    "threads?");
	}
	*ret = http;
	return SBX_OK;
}

void
http_stop(struct http *http)
{
	if (http == NULL)
		return;
	door_close(http->door);
	/* The library hangs up on whoever has no answer yet. */
	if (http->peers != NULL)
		peers_await(http->peers, LAST_CALLS);
	if (http->daemon != NULL)
		MHD_stop_daemon(http->daemon);
	discard_unread(http);
	discard_free(http->discard);
	peers_free(http->peers);
	free(http);
}
