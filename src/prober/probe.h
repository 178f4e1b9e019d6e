/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"
#include "registry/healthcheck.h"

/* One look at one endpoint: a TCP connection, and for HTTP and HTTPS a GET whose
 * status must be 200 to 399. Nothing that the other side does takes more than
 * PROBE_CONNECT_MS and PROBE_ANSWER_MS, or more memory than a few KiB. */

enum {
	PROBE_CONNECT_MS = 4000, /* as Route 53 waits */
	PROBE_ANSWER_MS = 2000,	 /* from then on, the TLS handshake within it */
	PROBE_REASON_SIZE = 128,
	PROBE_REQUEST_SIZE = 4096, /* of a GET, with the NUL */
};

struct event_base;
struct probe;
struct probe_tls;

/** The TLS settings of all probes. As on Route 53, certificates are not verified.
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status probe_tls_new(struct probe_tls **out);
void probe_tls_free(struct probe_tls **tls);

enum probe_result {
	PROBE_NONE = 0, /* we could not look: says nothing of the endpoint */
	PROBE_SUCCESS,
	PROBE_FAILURE,
};

/**
 * The end of a probe, which is gone by then.
 * @param reason  "status 503", "connection refused", ...; printable
 */
typedef void probe_done(void *arg, enum probe_result result, const char *reason);

/**
 * Begin. `done` is called later, from the loop, unless the probe is freed before.
 *
 * @param what  borrowed until then
 * @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no descriptor or no port of ours left)
 */
GAZ_MUST_CHECK gaz_status probe_start(struct event_base *base, struct probe_tls *tls,
				      const struct healthcheck_notice *what,
				      probe_done *done, void *arg, struct probe **out);

/** Give it up. Accepts a pointer to NULL. */
void probe_free(struct probe **probe);

/** The request to an endpoint: the path begins with a slash, and what has no place
 *  in a request line is percent-encoded. @return out */
char *probe_print_request(const struct healthcheck_notice *what,
			  char out[PROBE_REQUEST_SIZE]);
