/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/explain.h"

static int find_listener(void *arg, const struct sockaddr *addr, const char **vpc_id_out)
{
	const struct explainer *e = arg;
	int i = responder_find(*e->responder, addr);

	*vpc_id_out = i < 0 ? NULL : e->options->listen[i].vpc_id;
	return i;
}

static size_t answer(void *arg, const uint8_t *query, size_t len,
		     const struct netaddr *source, int listener, uint8_t *reply,
		     size_t cap)
{
	const struct explainer *e = arg;

	return responder_answer(*e->responder, query, len, source, listener, reply, cap);
}

void explain_init(struct explainer *e, const struct options *options,
		  struct responder *const *responder)
{
	*e = (struct explainer){
		.options = options,
		.responder = responder,
		.dns = {find_listener, answer, e},
	};
}
