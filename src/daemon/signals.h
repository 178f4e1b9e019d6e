/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* Only the main thread takes signals, and only by waiting for them. */

/** Block those that the daemon knows, in all threads that are started from now on. */
void signals_block(sigset_t *out);

/** Has one come that ends the daemon? It still waits to be taken. The form is that of
 *  struct halt. */
bool signals_is_end_pending(void *unused);
