/* SPDX-License-Identifier: ISC */
#include "broker/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "broker/front/http.h"
#include "broker/life/known.h"
#include "broker/life/look.h"
#include "broker/life/overlap.h"
#include "broker/life/reaper.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text.h"

/* Less than the supervisor waits for us (supervisor.c). */
#define DRAIN 8
/* Seconds after a boot in which nothing ends: its clock may be wrong. */
#define DOUBT 3600
/* Running sandboxes that are known without asking; more are asked for. */
#define KNOWN_MAX 4096

static uint64_t
unix_time(void)
{
	return (uint64_t)time(NULL);
}

/* Goes on while the machine sleeps. */
static uint64_t
boot_time(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* Wakes wait_for_end, whichever thread says so. */
static void
hurry(void)
{
	(void)kill(getpid(), SIGUSR1);
}

static struct quota quota = QUOTA_INIT;

/*
 * What a caller chose, so that it can be one value of a key=value line: as
 * in a URL, since the log escapes backslashes itself.
 */
static void
put_chosen(const char *text, size_t max, struct buf *ret)
{
	for (size_t i = 0; text[i] != '\0' && i < max; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c > 0x20 && c < 0x7f && strchr("%\"\\=", c) == NULL)
			buf_put_u8(ret, c);
		else
			buf_printf(ret, "%%%02X", c);
	}
}

/* Those whose broker it is may fill their own disk. */
static bool
may_log(const struct caller *caller, enum quota_kind kind)
{
	enum quota_word word = caller->all
	    ? QUOTA_YES
	    : quota_take(&quota, caller->person, kind, unix_time());

	if (word == QUOTA_LAST)
		log_error("caller=%s uid=%lu: no more lines for this minute",
		    caller->person_name, (unsigned long)caller->person);
	return word != QUOTA_NO;
}

/*
 * What went wrong on our side.  What changed or was decided is an event, and
 * mistakes of callers are theirs.  First what we know, then what they chose.
 */
static void
log_fault(const struct http_event *event)
{
	const struct call *call = event->call;
	cleanup_buf struct buf chosen = BUF_INIT(1024);

	if (event->status < 500 || !may_log(&call->caller, QUOTA_REFUSED))
		return;
	buf_put_text(&chosen, "method=");
	put_chosen(call->method, 10, &chosen);
	buf_put_text(&chosen, " path=");
	put_chosen(call->path, 128, &chosen);
	log_error("caller=%s status=%u code=%s %s: %s", call->caller.name,
	    event->status, sbx_err_name(event->err), buf_text(&chosen),
	    sbx_why_text(event->why, event->err));
}

static void
put_pair(struct buf *line, const char *name, const char *value)
{
	if (*value != '\0')
		buf_printf(
		    line, "%s%s=%s", line->len > 0 ? " " : "", name, value);
}

/* The row of the store as a line. */
static void
log_event(const struct event *e)
{
	cleanup_buf struct buf line = BUF_INIT(1024);

	put_pair(&line, "sandbox", e->id);
	put_pair(&line, "owner", e->owner);
	put_pair(&line, "event", event_name(e->kind));
	put_pair(&line, "cause", e->cause);
	put_pair(&line, "by", e->by);
	if (e->number > 0)
		buf_printf(&line, " number=%" PRIu64, e->number);
	log_error("%s%s%s", buf_text(&line), *e->detail == '\0' ? "" : ": ",
	    e->detail);
}

static void
log_resisting(
    const char *id, unsigned delay, enum sbx_err err, const struct sbx_why *why)
{
	if (*id == '\0')
		log_error("clearing away what was left: %s; again in %us",
		    sbx_why_text(why, err), delay);
	else
		log_error("removing %s, which is at its end: %s; again in %us",
		    id, sbx_why_text(why, err), delay);
}

/* Those that end wait_for_end, and the one that wakes it; of all threads. */
static void
take_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, ret, NULL);
}

/*
 * So many whole seconds from now, when the next of one of the two clocks
 * begins; a second that both must have begun takes another look.
 */
static struct timespec
until_next(uint64_t seconds)
{
	struct timespec unix_now = { 0 }, boot_now = { 0 };
	long begun;

	(void)clock_gettime(CLOCK_REALTIME, &unix_now);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot_now);
	begun = unix_now.tv_nsec > boot_now.tv_nsec ? unix_now.tv_nsec
						    : boot_now.tv_nsec;
	return (struct timespec){ .tv_sec = (time_t)seconds - (seconds > 0),
		.tv_nsec = 999999999 - begun };
}

/* Do the rounds until a signal says that it is over. */
static void
wait_for_end(struct reaper *reaper, const sigset_t *signals)
{
	int signal;

	for (;;) {
		struct sbx_why why = { "" };
		struct timespec interval;
		enum sbx_err err = reaper_round(reaper, &why);

		if (err != SBX_OK)
			log_error("cleaning up: %s", sbx_why_text(&why, err));
		interval = until_next(reaper_next(reaper));
		signal = sigtimedwait(signals, NULL, &interval);
		if (signal == SIGTERM || signal == SIGINT)
			return;
	}
}

/* An empty id, where there is none to be had, is another each time. */
static enum sbx_err
tell_boot(const struct broker *broker, struct sbx_why *why)
{
	cleanup_buf struct buf id = BUF_INIT(64);
	const struct moment now = { broker->now(), broker->ticks() };

	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &id, NULL) !=
	    SBX_OK)
		buf_reset(&id);
	return store_boot(broker->store, buf_text(&id), &now, DOUBT, why);
}

/* A descriptor each, of those that calls do not need. */
static size_t
known_max(size_t connections)
{
	const rlim_t others = 64 + 8 * (rlim_t)connections;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < others)
		return 0;
	return limit.rlim_cur - others < KNOWN_MAX ? limit.rlim_cur - others
						   : KNOWN_MAX;
}

static enum sbx_err
open_broker(const struct serve *serve, struct broker *ret, struct sbx_why *why)
{
	char path[PATHS_MAX];
	enum sbx_err err;

	*ret = (struct broker){ .settings = serve->settings,
		.provider_fd = serve->provider_fd,
		.now = unix_time,
		.ticks = boot_time,
		.hurry = hurry,
		.log = log_event,
		.may_log = may_log };
	signer_line_init(&ret->signer, serve->signer_fd);
	(void)snprintf(
	    ret->ca_line, sizeof(ret->ca_line), "%s", serve->ca_line);
	err = paths_join(serve->settings->state_dir, "db/sandboxd.db", path);
	if (err == SBX_OK)
		err = store_open(path, &ret->store, why);
	if (err == SBX_OK) {
		store_set_events_max(ret->store, ret->settings->max_events);
		err = tell_boot(ret, why);
	}
	if (err == SBX_OK)
		err = turns_new(&ret->turns);
	if (err == SBX_OK)
		err = known_new(
		    known_max(serve->settings->connections), &ret->known);
	if (err == SBX_OK)
		err = watch_new(&ret->watch);
	if (err == SBX_OK)
		err = persons_new(ret->settings, PERSONS_SUBUID, &ret->persons);
	if (err == SBX_OK)
		err = sandboxes_recover(ret, why);
	return err;
}

enum sbx_err
serve_run(const struct serve *serve, struct sbx_why *why)
{
	static const struct reaper_steps steps = { sandboxes_quit_ended,
		sandboxes_stop_ended, sandboxes_remove_ended, look_after,
		sandboxes_sweep, log_resisting };
	static struct broker broker; /* threads may outlive this call */
	struct reaper *reaper = NULL;
	struct http *http = NULL;
	struct sbx_why overlap;
	sigset_t signals;
	bool drained;
	enum sbx_err err = open_broker(serve, &broker, why);

	take_signals(&signals);
	if (err == SBX_OK)
		err = reaper_new(&broker, &steps, &reaper);
	if (err == SBX_OK)
		err = http_start(
		    &broker, serve->listen_fd, log_fault, &http, why);
	if (err != SBX_OK)
		return err; /* and the process ends */
	if (overlap_find(broker.settings, &overlap))
		log_error("%s", overlap.text);
	serve->ready(serve->ready_context);
	wait_for_end(reaper, &signals);
	turns_close(broker.turns);
	watch_close(broker.watch);
	http_stop(http);
	/* What is still under way uses the store to its end. */
	drained = reaper_end(reaper, DRAIN / 2);
	if (turns_drain(broker.turns, DRAIN / 2) && drained) {
		store_close(broker.store);
		turns_free(broker.turns);
		known_free(broker.known);
		watch_free(broker.watch);
		persons_free(broker.persons);
	}
	return SBX_OK;
}
