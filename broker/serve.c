#include "broker/serve.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "broker/http.h"
#include "broker/reaper.h"
#include "common/log.h"

/* Less than the supervisor waits for us (supervisor.c). */
#define DRAIN 8

static uint64_t
unix_time(void)
{
	return (uint64_t)time(NULL);
}

/*
 * What changed something or went wrong on our side is worth a line; reading
 * and mistakes of callers are not, but for refusals.
 */
static void
log_event(const struct http_event *event)
{
	const struct call *call = event->call;
	bool reads = strcmp(call->method, "GET") == 0;

	if ((reads && event->status < 500 && event->err != SBX_REFUSED) ||
	    (event->status == 404 && event->err == SBX_USAGE))
		return;
	if (event->err == SBX_OK)
		log_error("%.10s %.128s caller=%s status=%u", call->method,
		    call->path, call->caller.name, event->status);
	else
		log_error("%.10s %.128s caller=%s status=%u code=%s: %s",
		    call->method, call->path, call->caller.name, event->status,
		    sbx_err_name(event->err),
		    sbx_why_text(event->why, event->err));
}

/* Do the rounds until a signal says that it is over. */
static void
wait_for_end(struct broker *broker)
{
	const struct timespec interval = { .tv_sec = REAPER_INTERVAL };
	sigset_t ends;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGINT);
	for (;;) {
		struct sbx_why why = { "" };
		enum sbx_err err = reaper_run(broker, &why);

		if (err != SBX_OK)
			log_error("cleaning up: %s", sbx_why_text(&why, err));
		if (sigtimedwait(&ends, NULL, &interval) > 0)
			return;
	}
}

static enum sbx_err
open_broker(const struct serve *serve, struct broker *ret, struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err;

	*ret = (struct broker){ .settings = serve->settings,
		.signer_fd = serve->signer_fd,
		.provider_fd = serve->provider_fd,
		.now = unix_time };
	(void)snprintf(
	    ret->ca_line, sizeof(ret->ca_line), "%s", serve->ca_line);
	err = paths_join(serve->settings->state_dir, "db/sandboxd.db", path);
	if (err == SBX_OK)
		err = store_open(path, &ret->store, why);
	if (err == SBX_OK)
		err = turns_new(&ret->turns);
	if (err == SBX_OK)
		err = sandboxes_recover(ret, why);
	return err;
}

enum sbx_err
serve_run(const struct serve *serve, struct sbx_why *why)
{
	struct broker broker;
	struct http *http = NULL;
	enum sbx_err err = open_broker(serve, &broker, why);

	if (err == SBX_OK)
		err = http_start(
		    &broker, serve->listen_fd, log_event, &http, why);
	if (err != SBX_OK)
		return err;
	serve->ready(serve->ready_context);
	wait_for_end(&broker);
	turns_close(broker.turns);
	http_stop(http);
	/* A start that is still under way uses the store to its end. */
	if (turns_drain(broker.turns, DRAIN)) {
		store_close(broker.store);
		turns_free(broker.turns);
	}
	return SBX_OK;
}
