/* SPDX-License-Identifier: ISC */
/*
 * The main function of a fuzz target that is built without libFuzzer: the
 * inputs are the files it is given, each of them whole, cut off after every
 * byte and with every single bit flipped; of larger files, as many as there
 * is time for, all over the file.
 */
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "common/file.h"
#include "tests/fuzz/fuzz.h"

#define REPLAY_MAX 65536
#define REPLAY_CUTS_MAX 128
#define REPLAY_FLIPS_MAX 512

static size_t inputs;

/* In memory of exactly its size, so that ASan sees every byte beyond it. */
static void
run(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	FUZZ_ASSERT(copy != NULL);
	if (size > 0)
		memcpy(copy, bytes, size);
	FUZZ_ASSERT(LLVMFuzzerTestOneInput(copy, size) == 0);
	free(copy);
	inputs++;
}

static void
run_all(uint8_t *bytes, size_t size)
{
	size_t cuts = size / REPLAY_CUTS_MAX + 1;
	/* Odd, so that it is not always the same bit of a byte. */
	size_t flips = 8 * size / REPLAY_FLIPS_MAX | 1;

	run(bytes, size);
	for (size_t cut = 0; cut < size; cut += cuts)
		run(bytes, cut);
	for (size_t bit = 0; bit < 8 * size; bit += flips) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		run(bytes, size);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return EX_USAGE;
	}
	if (sodium_init() < 0)
		return EX_SOFTWARE;
	for (int i = 1; i < argc; i++) {
		cleanup_buf struct buf b = BUF_INIT(REPLAY_MAX);
		struct sbx_why why = { "" };

		if (file_read(AT_FDCWD, argv[i], &b, &why) != SBX_OK) {
			(void)fprintf(stderr, "%s\n", why.text);
			return EX_NOINPUT;
		}
		run_all(b.p, b.len);
	}
	(void)printf("%s: %d files, %zu inputs\n", argv[0], argc - 1, inputs);
	return 0;
}
