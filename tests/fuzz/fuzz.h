/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The function that libFuzzer calls, and replay.c for every file of a corpus.
 * It checks what must hold and aborts when it does not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                 \
	do {                                                                             \
		if (!(condition)) {                                                      \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,         \
				      #condition);                                       \
			abort();                                                         \
		}                                                                        \
	} while (0)
