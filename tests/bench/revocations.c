/* SPDX-License-Identifier: ISC */
/*
 * What asking a revocation list costs the login gate: open the file, verify
 * the head, judge it, look one certificate up, close it.  Beside it the bare
 * verification of a signature, which is the greater part.
 *
 *	revocations COUNT...
 */
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "certs/revlist.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/text.h"

#define ROUNDS 2000
#define NOW UINT64_C(1790000000)

static const char key_blob[] = "a user's key";

static uint64_t
nanoseconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void
report(const char *what, uint64_t times[static ROUNDS])
{
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	(void)printf("%-40s fastest %7" PRIu64 " ns, median %7" PRIu64 " ns\n",
	    what, times[0], times[ROUNDS / 2]);
}

static enum sbx_err
ask(const char *path, const struct keypair *ca, uint64_t serial)
{
	struct ca_set trusted = { .count = 1 };
	const struct revocations_policy policy = { &trusted, NOW, 60, 3600 };
	cleanup_close int fd = -1;
	struct revocations list;
	enum sbx_err err;

	memcpy(trusted.key[0], ca->public, KEY_ED25519_LEN);
	err = file_open_trusted(path, getuid(), 022, &fd, NULL);
	if (err == SBX_OK)
		err = revocations_open(fd, &list, NULL);
	if (err == SBX_OK)
		err = revocations_judge(&list, &policy, NULL);
	return err != SBX_OK ? err
			     : revocations_check(&list, ca->public, serial,
				   VIEW_STR(key_blob), NULL);
}

static enum sbx_err
make(const char *path, const struct keypair *ca, uint64_t count,
    uint64_t *ret_some)
{
	cleanup_buf struct buf list = BUF_INIT(REVLIST_MAX);
	cleanup_revset struct revset set;
	uint8_t hash[REVOCATIONS_KEY_LEN];
	enum sbx_err err = SBX_OK;

	revset_init(&set);
	for (uint64_t i = 0; i < count && err == SBX_OK; i++) {
		uint64_t serial;

		randombytes_buf(&serial, sizeof(serial));
		if (i < ROUNDS)
			ret_some[i] = serial;
		err = revset_add_serials(&set, ca->public, serial, serial);
	}
	for (uint64_t i = 0; i < count / 100 && err == SBX_OK; i++) {
		randombytes_buf(hash, sizeof(hash));
		err = revset_add_key(&set, hash);
	}
	if (err == SBX_OK)
		err = revlist_sign(
		    &set, CA_KEY(ca), NOW - 1, NOW + 1, &list, NULL);
	if (err == SBX_OK)
		err = file_write_atomic(
		    AT_FDCWD, path, 0644, buf_view(&list), NULL);
	(void)printf("%" PRIu64 " serials, %" PRIu64 " keys: %zu bytes\n",
	    count, count / 100, list.len);
	return err;
}

static enum sbx_err
measure(const char *path, const struct keypair *ca, uint64_t count)
{
	static uint64_t some[ROUNDS], times[ROUNDS];
	enum sbx_err err = make(path, ca, count, some);

	for (int hit = 1; hit >= 0 && err == SBX_OK; hit--) {
		enum sbx_err want = hit ? SBX_REVOKED : SBX_OK;

		for (size_t i = 0; i < ROUNDS && err == SBX_OK; i++) {
			uint64_t serial = some[i % count] + (hit ? 0 : 1);
			uint64_t start = nanoseconds();

			if (ask(path, ca, serial) != want)
				err = SBX_INTERNAL;
			times[i] = nanoseconds() - start;
		}
		report(hit ? "  revoked" : "  not revoked, keys looked up too",
		    times);
	}
	return err;
}

static void
measure_signature(const struct keypair *ca)
{
	static uint64_t times[ROUNDS];
	uint8_t signature[crypto_sign_ed25519_BYTES], message[200] = { 0 };
	volatile int bad = 0;

	(void)crypto_sign_ed25519_detached(
	    signature, NULL, message, sizeof(message), ca->secret);
	for (size_t i = 0; i < ROUNDS; i++) {
		uint64_t start = nanoseconds();

		bad |= crypto_sign_ed25519_verify_detached(
		    signature, message, sizeof(message), ca->public);
		times[i] = nanoseconds() - start;
	}
	report("one Ed25519 verification", times);
}

int
main(int argc, char **argv)
{
	char path[] = "./revocations.XXXXXX";
	cleanup_close int fd = -1;
	struct keypair ca;
	enum sbx_err err = SBX_OK;

	if (sodium_init() < 0)
		return EX_SOFTWARE;
	keypair_generate(&ca);
	fd = mkstemp(path);
	if (fd < 0)
		return EX_CANTCREAT;
	measure_signature(&ca);
	for (int i = 1; i < argc && err == SBX_OK; i++) {
		uint64_t count;

		err = text_uint(argv[i], 1, SPANS_MAX, &count);
		if (err == SBX_OK)
			err = measure(path, &ca, count);
	}
	(void)unlink(path);
	if (err != SBX_OK)
		(void)fprintf(stderr, "revocations: %s\n", sbx_err_text(err));
	return sbx_err_exit(err);
}
