/* SPDX-License-Identifier: ISC */
#include "proxycmd/resolve/answer.h"

#include <string.h>
#include <time.h>

#include "certs/check.h"
#include "common/text.h"
#include "net/reply.h"
#include "proxycmd/hosts.h"
#include "proxycmd/dial/kind.h"
#include "proxycmd/relay/plan.h"

#define SMALL_SKEW 10 /* seconds */

struct said {
	char id[NAME_ID_MAX + 1];
	char incarnation[NAME_ID_MAX + 1];
	char state[32];
	char user[SESSION_USER_LEN];
	uint64_t expires_at;
	char certificate[ANSWER_CERT_LEN];
	char host_key[ANSWER_HOST_KEYS][ANSWER_HOST_KEY_LEN];
	size_t host_key_count;
	char endpoint[SESSION_ENDPOINTS][SESSION_ENDPOINT_LEN];
	size_t endpoint_count;
};

#define MEMBER(m) offsetof(struct said, m)
#define SIZE(m) sizeof(((struct said *)0)->m)

static const struct reply_field fields[] = {
	{ "id", REPLY_TEXT, false, MEMBER(id), SIZE(id), 0, 0 },
	{ "incarnation", REPLY_TEXT, true, MEMBER(incarnation),
	    SIZE(incarnation), 0, 0 },
	{ "state", REPLY_TEXT, false, MEMBER(state), SIZE(state), 0, 0 },
	{ "user", REPLY_TEXT, false, MEMBER(user), SIZE(user), 0, 0 },
	{ "certificate", REPLY_TEXT, true, MEMBER(certificate),
	    SIZE(certificate), 0, 0 },
	{ "expires_at", REPLY_UINT, true, MEMBER(expires_at), 0, INT64_MAX, 0 },
	{ "host_keys", REPLY_TEXTS, false, MEMBER(host_key), SIZE(host_key[0]),
	    ANSWER_HOST_KEYS, MEMBER(host_key_count) },
	{ "endpoints", REPLY_TEXTS, false, MEMBER(endpoint), SIZE(endpoint[0]),
	    SESSION_ENDPOINTS, MEMBER(endpoint_count) },
};

static enum sbx_err
refuse(const struct question *q, struct sbx_why *why, const char *what)
{
	return sbx_fail(why, SBX_REFUSED,
	    "%s: the broker's answer is not to be trusted: %s", q->alias->text,
	    what);
}

/*
 * Without a list of ours the CA is whoever signed it: it is the sandbox that
 * knows which to trust.
 */
static enum sbx_err
embedded_ca(const struct cert *cert, struct ca_set *ret)
{
	struct public_key ca;
	enum sbx_err err = key_parse(cert->ca, &ca);

	*ret = (struct ca_set){ .count = 1 };
	return err != SBX_OK ? err : key_ed25519(&ca, ret->key[0]);
}

static uint64_t
judged_at(const struct question *q)
{
	return q->clock != 0 ? q->clock : q->now;
}

/* Seconds that it may live. */
static uint64_t
longest(const struct question *q)
{
	return q->ttl != 0 ? q->ttl : LIMITS_TTL_DEFAULT;
}

static bool
is_about_time(enum sbx_err err)
{
	return err == SBX_EXPIRED || err == SBX_NOT_YET_VALID;
}

/* Nobody knows which of the two clocks is wrong. */
static enum sbx_err
blame_clock(const struct question *q, struct sbx_why *why, enum sbx_err err)
{
	time_t now = (time_t)q->now;
	struct tm tm = { 0 };
	char text[32] = "";

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%F %H:%M:%S UTC", &tm);
	return sbx_fail(why, SBX_STATE,
	    "%s: by this machine's clock (%s) the %s: set it, or the broker's",
	    q->alias->text, text, sbx_err_text(err));
}

static enum sbx_err
judge_certificate(const struct said *said, const struct question *q,
    struct answer *ret, struct sbx_why *why)
{
	cleanup_buf struct buf blob = BUF_INIT(CERT_BLOB_MAX);
	cleanup_buf struct buf key = BUF_INIT(KEY_BLOB_MAX);
	struct ca_set embedded;
	struct cert_policy policy = {
		.sandbox_id = q->alias->id,
		.trusted = q->trusted != NULL ? q->trusted : &embedded,
		.now = judged_at(q),
		.clock_skew = CHECK_SKEW_DEFAULT,
		/* It starts in the past, for clocks that lag behind. */
		.max_ttl = longest(q) + CHECK_SKEW_DEFAULT,
		.permit = ~0U,
	};
	struct cert_grant grant;
	struct cert cert;
	enum sbx_err err =
	    cert_parse_line(VIEW_STR(said->certificate), &blob, &cert);

	if (err == SBX_OK && q->trusted == NULL)
		err = embedded_ca(&cert, &embedded);
	if (err == SBX_OK)
		err = cert_check(&cert, &policy, &grant);
	if (is_about_time(err) && q->clock == 0)
		return blame_clock(q, why, err);
	if (err != SBX_OK)
		return refuse(q, why, sbx_err_text(err));
	cert_put_public_key(&cert, &key);
	if (buf_error(&key) != SBX_OK ||
	    !view_eq(buf_view(&key), q->public_key))
		return refuse(q, why, "certificate is for another key");
	if (q->wish != NULL && wish_fault(q->wish, &grant) != NULL)
		return refuse(q, why, wish_fault(q->wish, &grant));
	ret->session.not_after = cert.valid_before;
	ret->session.single_use = grant.single_use;
	key_put_line(cert.blob, q->alias->text, &ret->certificate);
	buf_put_text(&ret->certificate, "\n");
	return buf_error(&ret->certificate);
}

/* A user name that opens the way by itself: it ends when the broker says. */
static enum sbx_err
judge_token(const struct said *said, const struct question *q,
    struct answer *ret, struct sbx_why *why)
{
	uint64_t now = judged_at(q), latest = now + longest(q);

	if (q->wish != NULL && wish_is_any(q->wish))
		return refuse(
		    q, why, "it has no certificate, and limits need one");
	if (q->trusted != NULL)
		return refuse(
		    q, why, "it has no certificate, and trusted_ca wants one");
	if (said->expires_at <= now)
		return refuse(
		    q, why, "it has no certificate, and no expires_at to come");
	ret->session.not_after =
	    said->expires_at < latest ? said->expires_at : latest;
	return SBX_OK;
}

static enum sbx_err
judge_host_keys(const struct said *said, const struct question *q,
    struct buf *ret, struct sbx_why *why)
{
	if (said->host_key_count == 0)
		return refuse(q, why, "it has no host key");
	for (size_t i = 0; i < said->host_key_count; i++) {
		cleanup_buf struct buf blob = BUF_INIT(KEY_BLOB_MAX);
		struct public_key key;

		if (key_parse_line(VIEW_STR(said->host_key[i]), &blob, &key) !=
		    SBX_OK)
			return refuse(q, why, "a host key is malformed");
		buf_printf(ret, "%s ", q->alias->text);
		key_put_line(key.blob, NULL, ret);
		buf_put_text(ret, "\n");
	}
	return buf_error(ret);
}

static enum sbx_err
judge_endpoint(const char *text, const struct question *q, struct sbx_why *why)
{
	const struct kind *kind = kind_find(text);
	struct endpoint endpoint;

	if (kind == NULL)
		return sbx_fail(why, SBX_REFUSED,
		    "%s: endpoint '%.80s' is of a kind unknown here: is this "
		    "sandbox-ssh older than the broker?",
		    q->alias->text, text);
	if (endpoint_parse(text, &endpoint, NULL) != SBX_OK)
		return refuse(q, why, "an endpoint is malformed");
	if (kind->local && q->broker != NULL &&
	    !tunnel_is_broker(&endpoint, q->broker))
		return refuse(q, why,
		    "a broker on the network may not name endpoints on this "
		    "machine");
	return SBX_OK;
}

static enum sbx_err
judge_endpoints(const struct said *said, const struct question *q,
    struct session *ret, struct sbx_why *why)
{
	enum sbx_err err = SBX_OK;

	if (ret->running && said->endpoint_count == 0)
		return refuse(q, why, "it runs but has no endpoint");
	for (size_t i = 0; i < said->endpoint_count && err == SBX_OK; i++)
		err = judge_endpoint(said->endpoint[i], q, why);
	ret->endpoint_count = said->endpoint_count;
	memcpy(ret->endpoint, said->endpoint, sizeof(ret->endpoint));
	return err;
}

/* How far the broker's clock is ahead, modulo 2^64. */
static uint64_t
offset(const struct question *q)
{
	uint64_t ahead = judged_at(q) - q->now;

	return ahead + SMALL_SKEW <= 2 * SMALL_SKEW ? 0 : ahead;
}

enum sbx_err
answer_judge(struct json_object *object, const struct question *q,
    struct answer *ret, struct sbx_why *why)
{
	struct said said = { .id = "" };
	struct sbx_why own = { "" };
	enum sbx_err err;

	*ret = (struct answer){
		.certificate = BUF_INIT(ANSWER_CERT_LEN + NAME_ALIAS_MAX + 2),
		.known_hosts = BUF_INIT(
		    ANSWER_HOST_KEYS * (ANSWER_HOST_KEY_LEN + NAME_ALIAS_MAX)),
	};
	err = reply_read(
	    object, fields, sizeof(fields) / sizeof(fields[0]), &said, &own);
	if (err != SBX_OK)
		return sbx_fail(why, err,
		    "%s: the broker's answer cannot be used: %s",
		    q->alias->text, sbx_why_text(&own, err));
	if (strcmp(said.id, q->alias->id) != 0)
		return refuse(q, why, "it is about another sandbox");
	if (*said.incarnation != '\0' &&
	    !name_is_id(VIEW_STR(said.incarnation)))
		return refuse(q, why, "its incarnation is malformed");
	memcpy(ret->session.incarnation, said.incarnation,
	    sizeof(said.incarnation));
	if (!hosts_is_user(said.user))
		return refuse(q, why, "its user name is malformed");
	(void)snprintf(ret->session.id, sizeof(ret->session.id), "%s", said.id);
	(void)snprintf(
	    ret->session.user, sizeof(ret->session.user), "%s", said.user);
	ret->session.running = strcmp(said.state, "running") == 0;
	err = *said.certificate == '\0' ? judge_token(&said, q, ret, why)
					: judge_certificate(&said, q, ret, why);
	ret->session.not_after -= offset(q);
	if (err == SBX_OK)
		err = judge_host_keys(&said, q, &ret->known_hosts, why);
	if (err == SBX_OK)
		err = judge_endpoints(&said, q, &ret->session, why);
	return err;
}

void
answer_free(struct answer *answer)
{
	buf_free(&answer->certificate);
	buf_free(&answer->known_hosts);
}
