/* SPDX-License-Identifier: BSD-2-Clause */

/* A fuzz target without a fuzzer: gives it every file named by the arguments,
 * or of its corpus in the source tree, and some mutations of each, the same in
 * every run. TAP output, one line per file. */

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum {
	INPUT_CAP = 1 << 17
};

static void mutate(struct rng *rng, uint8_t *data, size_t *size)
{
	for (uint32_t n = 1 + rng_below(rng, 4); n > 0 && *size > 0; n--) {
		uint8_t *at = &data[rng_below(rng, (uint32_t)*size)];

		switch (rng_below(rng, 5)) {
		case 0:
			*at ^= (uint8_t)(1u << rng_below(rng, 8));
			break;
		case 1:
			*at = (uint8_t)rng_next(rng);
			break;
		case 2:
			*at = rng_below(rng, 2) ? 0xff : 0;
			break;
		case 3: /* remove one byte */
			memmove(at, at + 1, (size_t)(data + *size - at) - 1);
			(*size)--;
			break;
		default: /* cut, but not often to nothing */
			if (rng_below(rng, 4) == 0)
				*size = (size_t)(at - data);
		}
	}
}

/* Each input in memory of exactly its size, so that a sanitizer sees any read
 * behind its end. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void replay(const char *path, int number)
{
	static uint8_t original[INPUT_CAP];
	static uint8_t mutated[INPUT_CAP];
	FILE *file = fopen(path, "rb");
	struct rng rng;
	size_t size;

	if (!file) {
		printf("not ok %d - cannot open %s\n", number, path);
		return;
	}
	size = fread(original, 1, sizeof original, file);
	(void)fclose(file);
	run(original, size);
	rng_seed(&rng, 1);
	for (int i = 0; i < FUZZ_MUTATIONS; i++) {
		size_t mutated_size = size;

		memcpy(mutated, original, size);
		mutate(&rng, mutated, &mutated_size);
		run(mutated, mutated_size);
	}
	printf("ok %d - %s\n", number, path);
	(void)fflush(stdout);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_corpus(void)
{
	const char *top = getenv("srcdir"); /* automake sets it */
	struct dirent **entries = NULL;
	char dir[1024];
	char path[2048];
	int count;

	(void)snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/" FUZZ_TARGET,
		       top ? top : ".");
	count = scandir(dir, &entries, is_visible, alphasort);
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
		replay(path, i + 1);
		free(entries[i]);
	}
	free(entries);
	return count;
}

int main(int argc, char **argv)
{
	int count = argc - 1;

	for (int i = 1; i < argc; i++)
		replay(argv[i], i);
	if (argc == 1)
		count = replay_corpus();
	if (count > 0)
		printf("1..%d\n", count);
	else
		printf("Bail out! no corpus for " FUZZ_TARGET "\n");
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
