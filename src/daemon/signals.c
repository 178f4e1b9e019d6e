/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/signals.h"

#include <pthread.h>

void signals_block(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGINT);
	sigaddset(out, SIGHUP);
	pthread_sigmask(SIG_BLOCK, out, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool signals_is_end_pending(void *unused)
{
	sigset_t pending;

	(void)unused;
	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 ||
					     sigismember(&pending, SIGINT) == 1);
}
