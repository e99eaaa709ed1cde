/* SPDX-License-Identifier: ISC */
/*
 * sign MILLISECONDS: how often in a second of one core as many bytes are signed
 * as a sandbox's certificate has, with nothing around it.
 */
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "common/text.h"

#define BYTES 512
#define AT_ONCE 100

static uint64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

int
main(int argc, char **argv)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	uint8_t signature[crypto_sign_BYTES], bytes[BYTES] = { 0 };
	uint64_t ms, begin, took = 0, count = 0;

	if (argc != 2 || sodium_init() < 0 ||
	    text_uint(argv[1], 1, 60000, &ms) != SBX_OK ||
	    crypto_sign_keypair(public, secret) != 0)
		return 64;
	for (begin = now(); took < ms * 1000000; took = now() - begin) {
		for (int i = 0; i < AT_ONCE; i++)
			(void)crypto_sign_detached(
			    signature, NULL, bytes, sizeof(bytes), secret);
		count += AT_ONCE;
	}
	(void)printf("%.0f\n", (double)count * 1e9 / (double)took);
	return 0;
}
