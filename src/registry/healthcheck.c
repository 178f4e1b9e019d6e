/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/healthcheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "registry/health-internal.h"
#include "registry/healthcheck-internal.h"
#include "registry/instance_store.h"
#include "registry/projection.h"
#include "registry/registry-internal.h"

/* ---- notices ---- */

void healthcheck_free_notices(struct healthcheck_notice *list)
{
	while (list) {
		struct healthcheck_notice *next = list->next;

		free(list);
		list = next;
	}
}

static const char *append(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	const char *copy = memcpy(*at, text, size);

	*at += size;
	return copy;
}

static struct healthcheck_notice *make_notice(const struct service_record *svc,
					      const char *instance_id, const char *path)
{
	size_t size = strlen(svc->region) + strlen(svc->account) + strlen(svc->id) +
		      strlen(instance_id) + strlen(path) + 5;
	struct healthcheck_notice *notice = calloc(1, sizeof *notice + size);
	char *at;

	if (!notice)
		return NULL;
	at = (char *)(notice + 1);
	notice->region = append(&at, svc->region);
	notice->account = append(&at, svc->account);
	notice->service_id = append(&at, svc->id);
	notice->instance_id = append(&at, instance_id);
	notice->path = append(&at, path);
	return notice;
}

static gaz_status add_notice(struct registry *r, struct healthcheck_notice *notice)
{
	if (!notice)
		return GAZ_ENOMEM;
	*r->notices_tail = notice;
	r->notices_tail = &notice->next;
	return GAZ_OK;
}

void healthcheck_deliver(struct registry *r)
{
	struct healthcheck_notice *list = r->notices;

	r->notices = NULL;
	r->notices_tail = &r->notices;
	if (list)
		r->config.on_checks(r->config.on_checks_arg, list);
}

void healthcheck_drop(struct registry *r)
{
	healthcheck_free_notices(r->notices);
	r->notices = NULL;
	r->notices_tail = &r->notices;
}

/* ---- what is checked ---- */

/* A token is new with each registration, or else comes with other attributes: so
 * a result for what was there before is known by this. */
static gaz_status make_fingerprint(const struct service_record *svc,
				   const struct instance_record *inst, uint64_t *out)
{
	uint8_t digest[ID_DIGEST_LEN];
	struct bytes text;
	gaz_status st = GAZ_ENOMEM;

	bytes_init(&text);
	bytes_put_u8(&text, (uint8_t)svc->health_check);
	bytes_put_u32(&text, svc->failure_threshold);
	bytes_put_text(&text, svc->resource_path);
	bytes_put_text(&text, inst->creator_request_id);
	schema_put_pairs(&text, &inst->attributes);
	if (!text.failed)
		st = id_digest(text.data, text.len, digest);
	bytes_fini(&text);
	if (st == GAZ_OK)
		memcpy(out, digest, sizeof *out);
	return st;
}

/* An alias has no endpoint; nor has what was registered before there was a check. */
static bool find_endpoint(const struct instance_record *inst, struct netaddr *addr_out,
			  uint16_t *port_out)
{
	const char *addr = projection_attribute(inst, "AWS_INSTANCE_IPV4");
	const char *port = projection_attribute(inst, "AWS_INSTANCE_PORT");

	if (!addr)
		addr = projection_attribute(inst, "AWS_INSTANCE_IPV6");
	if (!addr || !port || netaddr_parse(addr, addr_out) != GAZ_OK)
		return false;
	*port_out = (uint16_t)strtoul(port, NULL, 10);
	return true;
}

static bool is_listening(const struct registry *r)
{
	return r->config.on_checks != NULL;
}

gaz_status healthcheck_note_gone(struct call *call, const struct service_record *svc,
				 const char *instance_id)
{
	struct healthcheck_notice *notice;

	if (!is_listening(call->registry) || !svc->health_check)
		return GAZ_OK;
	notice = make_notice(svc, instance_id, "");
	if (notice)
		notice->is_gone = true;
	return add_notice(call->registry, notice);
}

gaz_status healthcheck_note(struct call *call, const struct service_record *svc,
			    const struct instance_record *inst)
{
	struct healthcheck_notice *notice;
	struct netaddr addr;
	uint16_t port;

	if (!is_listening(call->registry) || !svc->health_check)
		return GAZ_OK;
	if (!find_endpoint(inst, &addr, &port))
		return healthcheck_note_gone(call, svc, inst->id);
	notice = make_notice(svc, inst->id, svc->resource_path ? svc->resource_path : "");
	if (!notice)
		return GAZ_ENOMEM;
	notice->addr = addr;
	notice->port = port;
	notice->type = svc->health_check;
	notice->threshold = (uint8_t)svc->failure_threshold;
	notice->healthy = inst->healthy;
	if (make_fingerprint(svc, inst, &notice->fingerprint) != GAZ_OK) {
		free(notice);
		return GAZ_ENOMEM;
	}
	return add_notice(call->registry, notice);
}

static bool is_same_check(const struct service_record *a, const struct service_record *b)
{
	if (a->health_check != b->health_check ||
	    a->failure_threshold != b->failure_threshold)
		return false;
	return !a->resource_path || strcmp(a->resource_path, b->resource_path) == 0;
}

gaz_status healthcheck_follow_update(struct call *call, const struct service_record *old,
				     const struct service_record *new,
				     const struct instance_record *instances,
				     size_t count)
{
	gaz_status st = GAZ_OK;

	if (is_same_check(old, new))
		return GAZ_OK;
	for (size_t i = 0; st == GAZ_OK && i < count; i++) {
		if (new->health_check)
			st = healthcheck_note(call, new, &instances[i]);
		else
			st = healthcheck_note_gone(call, old, instances[i].id);
		if (st == GAZ_OK && !new->health_check && !instances[i].healthy)
			st = health_turn(call, new, &instances[i]);
	}
	return st;
}

gaz_status healthcheck_load(struct call *call, const struct service_record *svc,
			    struct instance_record *inst)
{
	struct call saving = *call;
	gaz_status st;

	if (!svc->health_check)
		return GAZ_OK;
	if (is_listening(call->registry))
		return healthcheck_note(call, svc, inst);
	if (inst->healthy)
		return GAZ_OK;
	inst->healthy = true;
	saving.changes = &call->registry->changes;
	st = instance_replace(&saving, svc->id, inst);
	return saving.changes->failed ? GAZ_ENOMEM : st;
}

/* ---- results ---- */

gaz_status healthcheck_report(struct call *call, const void *in, void *out)
{
	const struct healthcheck_report_in *input = in;
	struct healthcheck_report_out *result = out;
	struct service_record svc;
	struct instance_record inst = {0};
	uint64_t fingerprint = 0;
	gaz_status st = call_load_service(call, input->service_id, &svc);

	*result = (struct healthcheck_report_out){0};
	if (st == GAZ_OK)
		st = instance_load(call, svc.id, input->instance_id, &inst);
	if (st == GAZ_ENOTFOUND || (st == GAZ_OK && !svc.health_check))
		return GAZ_OK;
	if (st == GAZ_OK)
		st = make_fingerprint(&svc, &inst, &fingerprint);
	if (st != GAZ_OK || fingerprint != input->fingerprint)
		return st;
	result->changed = inst.healthy != input->healthy;
	if (result->changed)
		st = health_turn(call, &svc, &inst);
	result->taken = st == GAZ_OK;
	return st;
}
