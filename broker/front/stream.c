/* SPDX-License-Identifier: ISC */
#include "broker/front/stream.h"

#include <poll.h>
#include <string.h>

#include "common/buf.h"

#define LINE_MAX_LEN 65536
#define BLOCK 4096

struct stream {
	struct broker *broker;
	int fd;
	char id[NAME_ID_MAX + 1];
	uint64_t incarnation;
	struct buf line; /* what is being sent */
	size_t sent;	 /* of it */
	bool over;	 /* after that line */
};

/* The next line, once it is time for one.  False: whoever read has gone. */
static bool
next_line(struct stream *s)
{
	struct pollfd peer = { s->fd, POLLRDHUP, 0 };

	if (poll(&peer, 1, STREAM_BEAT * 1000) > 0)
		return false;
	buf_reset(&s->line);
	s->sent = 0;
	s->over = !sandboxes_is_there(s->broker, s->id, s->incarnation);
	if (s->over)
		buf_put_text(&s->line, "{\"state\":\"removed\"}\n");
	else
		buf_printf(&s->line, "{\"beat\":%llu}\n",
		    (unsigned long long)s->broker->now());
	return buf_error(&s->line) == SBX_OK;
}

/* The connection's own thread may wait here. */
static ssize_t
on_read(void *context, uint64_t at, char *ret, size_t max)
{
	struct stream *s = context;
	size_t n;

	(void)at;
	if (s->sent == s->line.len) {
		if (s->over)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (!next_line(s))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	n = s->line.len - s->sent < max ? s->line.len - s->sent : max;
	memcpy(ret, buf_text(&s->line) + s->sent, n);
	s->sent += n;
	return (ssize_t)n;
}

static void
on_free(void *context)
{
	struct stream *s = context;

	sandboxes_end_tied(s->broker, s->id, s->incarnation);
	buf_free(&s->line);
	free(s);
}

static struct stream *
make(struct broker *broker, int fd, const struct answer *answer,
    const char *first)
{
	struct stream *s = first == NULL ? NULL : calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->broker = broker;
	s->fd = fd;
	memcpy(s->id, answer->tied, sizeof(s->id));
	s->incarnation = answer->incarnation;
	s->line = BUF_INIT(LINE_MAX_LEN);
	buf_put_text(&s->line, first);
	buf_put_text(&s->line, "\n");
	return s;
}

struct MHD_Response *
stream_new(struct broker *broker, int fd, const struct answer *answer,
    const char *first)
{
	struct stream *s = make(broker, fd, answer, first);
	struct MHD_Response *response = NULL;

	if (s != NULL && buf_error(&s->line) == SBX_OK)
		response = MHD_create_response_from_callback(
		    MHD_SIZE_UNKNOWN, BLOCK, on_read, s, on_free);
	if (response != NULL)
		return response;
	sandboxes_end_tied(broker, answer->tied, answer->incarnation);
	if (s != NULL)
		buf_free(&s->line);
	free(s);
	return NULL;
}
