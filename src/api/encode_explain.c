/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/encode-internal.h"
#include "registry/explain.h"

/* The result of Gazetteer.ExplainAnswer. */

static const char *const rule_names[] = {
	[EXPLAIN_LISTENER] = "LISTENER",
	[EXPLAIN_PREFIX] = "PREFIX",
	[EXPLAIN_UNDECLARED] = "UNDECLARED_VPCS",
	[EXPLAIN_NO_VPC] = "NO_VPC",
};

static const char *const match_names[] = {
	[TRACE_NO_ZONE] = "NO_ZONE",   [TRACE_MISSING] = "MISSING",
	[TRACE_EXACT] = "EXACT",       [TRACE_NO_RECORDS] = "EMPTY_NON_TERMINAL",
	[TRACE_WILDCARD] = "WILDCARD", [TRACE_DELEGATION] = "DELEGATION",
	[TRACE_DNAME] = "DNAME",
};

static const char *const zone_names[] = {
	[ZONE_PRIVATE] = "DNS_PRIVATE",
	[ZONE_PUBLIC] = "DNS_PUBLIC",
	[ZONE_STATIC] = "STATIC",
};

static void put_source(struct json_out *w, const struct explain_out *e)
{
	json_member_object(w, "Source");
	json_member_text(w, "Address", e->source);
	json_member_optional(w, "Listener", e->listener);
	json_member_text(w, "Rule", rule_names[e->rule]);
	json_member_optional(w, "Prefix", e->prefix);
	json_member_array(w, "VpcIds");
	for (size_t i = 0; i < e->trace.vpc_count; i++)
		json_put_text(w, e->trace.vpc_ids[i]);
	json_end_array(w);
	json_end_object(w);
}

/* The members of an object that is open. */
static void put_zone(struct json_out *w, const struct trace_zone *zone)
{
	json_member_text(w, "Id", zone->id);
	json_member_text(w, "Name", zone->name);
	json_member_text(w, "Type", zone_names[zone->kind]);
	json_member_optional(w, "VpcId", zone->vpc_id);
}

static void put_zones(struct json_out *w, const struct trace *trace)
{
	if (trace->match != TRACE_NO_ZONE) {
		json_member_object(w, "Zone");
		put_zone(w, &trace->zone);
		json_end_object(w);
	}
	json_member_array(w, "OtherZones");
	for (size_t i = 0; i < trace->other_count; i++) {
		json_begin_object(w);
		put_zone(w, &trace->others[i]);
		json_end_object(w);
	}
	json_end_array(w);
	json_member_text(w, "Match", match_names[trace->match]);
	json_member_optional(w, "Owner", trace->owner);
	json_member_optional(w, "Cname", trace->cname);
}

static void put_instance(struct json_out *w, const struct explain_instance *inst)
{
	json_begin_object(w);
	json_member_text(w, "Id", inst->id);
	json_member_optional(w, "Data", inst->data);
	json_member_text(w, "HealthStatus", encode_health_name(inst->status));
	json_name(w, "Eligible");
	json_put_bool(w, inst->eligible);
	json_end_object(w);
}

static void put_service(struct json_out *w, const struct explain_out *e)
{
	if (!e->has_service)
		return;
	json_member_object(w, "Service");
	json_member_text(w, "Id", e->service.id);
	json_member_text(w, "Name", e->service.name);
	json_member_text(w, "RoutingPolicy",
			 e->service.routing_policy == ROUTING_WEIGHTED ? "WEIGHTED"
								       : "MULTIVALUE");
	json_end_object(w);
	json_name(w, "FailOpen");
	json_put_bool(w, e->fail_open);
	json_member_array(w, "Instances");
	for (size_t i = 0; i < e->instance_count; i++)
		put_instance(w, &e->instances[i]);
	json_end_array(w);
}

static void put_reply(struct json_out *w, const struct explain_out *e)
{
	static const char *const sections[PRESENT_SECTIONS] = {
		[PRESENT_ANSWER] = "Answer",
		[PRESENT_AUTHORITY] = "Authority",
		[PRESENT_ADDITIONAL] = "Additional",
	};

	if (e->is_forwarded) {
		json_name(w, "Forwarded");
		json_put_bool(w, true);
	}
	if (e->is_special) {
		json_name(w, "Special");
		json_put_bool(w, true);
	}
	if (!e->has_reply)
		return;
	json_member_object(w, "Reply");
	json_member_text(w, "Rcode", e->reply.rcode);
	for (int s = 0; s < PRESENT_SECTIONS; s++) {
		json_member_array(w, sections[s]);
		for (size_t i = 0; i < e->reply.counts[s]; i++)
			json_put_text(w, e->reply.records[s][i]);
		json_end_array(w);
	}
	json_end_object(w);
}

void encode_explanation(const struct call *call, const void *out, struct json_out *w)
{
	const struct explain_out *e = out;

	(void)call;
	json_begin_object(w);
	json_member_object(w, "Explanation");
	json_member_text(w, "Name", e->name);
	json_member_text(w, "Type", e->type);
	put_source(w, e);
	put_zones(w, &e->trace);
	put_service(w, e);
	put_reply(w, e);
	json_end_object(w);
	json_end_object(w);
}
