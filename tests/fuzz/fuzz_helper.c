/* SPDX-License-Identifier: ISC */
/*
 * Messages between sandboxd's processes.  As a request: the signer signs
 * nothing but a certificate that ends within a day and says who it is for.
 * As an answer: a helper that was taken over cannot do more than lie.
 */
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/helper/provider_call.h"
#include "broker/helper/signer.h"
#include "certs/check.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1800000000

static uint64_t
now(void)
{
	return NOW;
}

static void
check_certificate(struct view blob, const struct signer *signer)
{
	struct ca_set trusted = { .count = 1 };
	struct cert cert;

	memcpy(trusted.key[0], signer->ca.public, KEY_ED25519_LEN);
	FUZZ_ASSERT(cert_parse(blob, &cert) == SBX_OK);
	FUZZ_ASSERT(cert_verify(&cert, signer->ca.public) == SBX_OK);
	FUZZ_ASSERT(cert.type == CERT_TYPE_USER);
	FUZZ_ASSERT(cert.serial != 0);
	FUZZ_ASSERT(cert.principal_count == 1);
	FUZZ_ASSERT(cert.valid_before <= NOW + CHECK_TTL_MAX);
	FUZZ_ASSERT(cert.valid_after < cert.valid_before);
}

/* As it came: how many, and each. */
static void
ask_signer_at_once(struct signer *signer, struct view request)
{
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	struct sbx_why why = { "" };
	struct wire w;

	if (signer_job(signer, request, &answer, NULL, &why) != SBX_OK) {
		FUZZ_ASSERT(answer.len == 0);
		return;
	}
	w = wire_of(buf_view(&answer));
	while (w.left > 0) {
		uint32_t err = wire_u32(&w);
		struct view blob;

		(void)wire_string(&w, SBX_WHY_MAX);
		blob = wire_string(&w, CERT_BLOB_MAX);
		FUZZ_ASSERT(wire_error(&w) == SBX_OK);
		if (err == SBX_OK)
			check_certificate(blob, signer);
		else
			FUZZ_ASSERT(blob.len == 0);
	}
}

static void
ask_signer(struct view request)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };
	struct signer signer = { .now = now };
	cleanup_buf struct buf one = BUF_INIT(HELPER_MESSAGE_MAX + 8);

	(void)crypto_sign_seed_keypair(
	    signer.ca.public, signer.ca.secret, seed);
	ask_signer_at_once(&signer, request);
	buf_put_u32(&one, 1);
	buf_put_string(&one, request);
	ask_signer_at_once(&signer, buf_view(&one));
}

/* Only those that no provider would act upon. */
static void
ask_provider(struct view request)
{
	struct provider_context context = { .state_dir = "/nowhere" };
	cleanup_buf struct buf answer = BUF_INIT(HELPER_MESSAGE_MAX);
	struct wire w = wire_of(request);
	struct sbx_why why = { "" };
	struct view provider;
	char name[NAME_ID_MAX + 1];

	(void)wire_u32(&w);
	provider = wire_string(&w, NAME_ID_MAX);
	if (text_copy(provider, name, sizeof(name)) == SBX_OK &&
	    provider_find(name) != NULL)
		return;
	FUZZ_ASSERT(
	    provider_job(&context, request, &answer, NULL, &why) != SBX_OK);
}

/* The other end of a helper's socket: it answers with the input. */
static struct {
	int caller, helper;
	struct view answer;
} fake = { -1, -1, { NULL, 0 } };

static int
take_descriptor(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary;
	char request[HELPER_MESSAGE_MAX];
	struct iovec iov = { request, sizeof(request) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ancillary.bytes,
		.msg_controllen = sizeof(ancillary.bytes) };
	int taken = -1;

	FUZZ_ASSERT(recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) > 0);
	FUZZ_ASSERT(CMSG_FIRSTHDR(&msg) != NULL);
	memcpy(&taken, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(taken));
	return taken;
}

static void *
answer_once(void *context)
{
	cleanup_close int fd = take_descriptor(fake.helper);

	(void)context;
	(void)send(fd, fake.answer.p, fake.answer.len, MSG_NOSIGNAL);
	return NULL;
}

static void
check_access(const struct provider_access *access)
{
	FUZZ_ASSERT(access->host_key_count <= PROVIDER_HOST_KEYS);
	FUZZ_ASSERT(access->endpoint_count <= PROVIDER_ENDPOINTS);
	FUZZ_ASSERT(memchr(access->user, '\0', sizeof(access->user)) != NULL);
	for (size_t i = 0; i < access->endpoint_count; i++)
		FUZZ_ASSERT(
		    memchr(access->endpoint[i], '\0', PROVIDER_LINE) != NULL);
}

static void
hear(struct view answer, bool credentials)
{
	struct provider_access access;
	struct provider_status status;
	struct sbx_why why = { "" };
	pthread_t thread;
	int watch;

	fake.answer = answer;
	FUZZ_ASSERT(pthread_create(&thread, NULL, answer_once, NULL) == 0);
	if (credentials) {
		if (provider_call_credentials(&fake.caller, "local", "run-1234",
			"", &access, &watch, &why) == SBX_OK)
			check_access(&access);
	} else if (provider_call_inspect(&fake.caller, "local", "run-1234",
		       &status, &why) == SBX_OK) {
		FUZZ_ASSERT(status.state < PROVIDER_STATES);
		FUZZ_ASSERT(status.isolation < ISOLATION_COUNT);
	}
	FUZZ_ASSERT(pthread_join(thread, NULL) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct view input = VIEW(bytes, size);

	if (size > HELPER_MESSAGE_MAX)
		return 0;
	if (fake.caller < 0)
		FUZZ_ASSERT(
		    helper_pair(&fake.caller, &fake.helper, NULL) == SBX_OK);
	ask_signer(input);
	ask_provider(input);
	/* A short one says enough about its length; threads are dear. */
	if (size < 4096) {
		hear(input, /* credentials= */ true);
		hear(input, /* credentials= */ false);
	}
	return 0;
}
