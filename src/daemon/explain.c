/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/explain.h"

#include "dns/name.h"
#include "forward/forward.h"

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

static bool stays_here(void *arg, const uint8_t *name)
{
	const struct explainer *e = arg;
	struct dname dname;

	return *e->forward && dname_parse(name, DNAME_MAX, &dname) > 0 &&
	       forward_stays_here(*e->forward, &dname);
}

void explain_init(struct explainer *e, const struct options *options,
		  struct responder *const *responder, struct forward *const *forward)
{
	*e = (struct explainer){
		.options = options,
		.responder = responder,
		.forward = forward,
		.dns = {find_listener, answer, stays_here, e},
	};
}
