/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/explain.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "registry/call.h"
#include "registry/instance_store.h"
#include "registry/projection.h"
#include "registry/registry-internal.h"
#include "registry/service-internal.h"
#include "registry/vpc.h"
#include "zone/zonedb.h"

enum {
	QUERY_SIZE = DNS_HEADER_LEN + DNAME_MAX + 4 + DNS_OPT_LEN,
	REPLY_SIZE = 65535,
};

struct question {
	uint8_t name[DNAME_MAX];
	size_t name_len;
	uint16_t type;
	struct netaddr source;
	int listener; /* -1: none */
	const char *listener_vpc;
};

/* ---- the request ---- */

static gaz_status read_listener(struct call *call, const char *to, struct question *q)
{
	const struct registry_dns *dns = call->registry->config.dns;
	struct sockaddr_storage addr;

	q->listener = -1;
	q->listener_vpc = NULL;
	if (!to)
		return GAZ_OK;
	if (netaddr_parse_endpoint(to, 53, &addr) != GAZ_OK)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "To: '%.64s' is not an address such as 127.0.0.1:10053",
				 to);
	if (dns)
		q->listener = dns->find_listener(dns->arg, (struct sockaddr *)&addr,
						 &q->listener_vpc);
	if (q->listener < 0)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "To: no listener has the address %.64s; GetStatus "
				 "lists those that there are",
				 to);
	return GAZ_OK;
}

static gaz_status read_question(struct call *call, const struct explain_in *in,
				struct question *q)
{
	const char *from = in->from ? in->from : "127.0.0.1";

	if (dname_from_text(in->name, q->name, &q->name_len) != GAZ_OK)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "Name: '%.255s' is not a domain name", in->name);
	if (present_parse_type(in->type ? in->type : "A", &q->type) != GAZ_OK)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "Type: '%.32s' is not a type of records, such as A, SRV "
				 "or TYPE65280",
				 in->type);
	if (netaddr_parse(from, &q->source) != GAZ_OK)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "From: '%.64s' is not an address such as 10.0.0.9",
				 from);
	return read_listener(call, in->to, q);
}

/* ---- the view ---- */

/* The longest declared prefix that holds the source. */
static gaz_status find_prefix(struct call *call, const struct question *q,
			      const char **out)
{
	struct vpc_page_out page = {0};
	int longest = -1;
	gaz_status st = vpc_list(call, NULL, &page);

	for (size_t i = 0; st == GAZ_OK && i < page.count; i++) {
		for (size_t k = 0; k < page.items[i].cidr_count; k++) {
			const char *text = page.items[i].cidrs[k];
			struct netprefix prefix;

			if (netaddr_parse_prefix(text, &prefix) == GAZ_OK &&
			    prefix.len > longest &&
			    netprefix_holds(&prefix, &q->source)) {
				longest = prefix.len;
				*out = text;
			}
		}
	}
	return st;
}

static gaz_status explain_view(struct call *call, const struct question *q,
			       struct explain_out *out)
{
	if (q->listener_vpc)
		out->rule = EXPLAIN_LISTENER;
	else if (out->trace.vpc_count > 0)
		out->rule = EXPLAIN_PREFIX;
	else
		out->rule = out->trace.undeclared ? EXPLAIN_UNDECLARED : EXPLAIN_NO_VPC;
	return out->rule == EXPLAIN_PREFIX ? find_prefix(call, q, &out->prefix) : GAZ_OK;
}

/* ---- the service ---- */

static gaz_status find_service(struct call *call, const struct namespace_record *ns,
			       const char *name, struct service_record *out)
{
	struct key key = {0};
	const char *id = NULL;
	gaz_status st = service_name_key(call, ns, name, &key);

	if (st == GAZ_OK)
		st = call_find_name(call, &key, &id);
	return st == GAZ_OK ? call_load_service(call, id, out) : st;
}

/* The owner's name without its zone's: "web", or "." at the apex. */
static const char *name_in_zone(struct call *call, const struct trace *trace)
{
	size_t owner_len = strlen(trace->owner);
	size_t zone_len = strlen(trace->zone.name);

	if (owner_len <= zone_len)
		return ".";
	return arena_strndup(call->arena, trace->owner, owner_len - zone_len - 1);
}

/* The service is named by all labels, or, where they begin with an instance's id (the
 * target of an SRV record), by those behind it. */
static gaz_status explain_service(struct call *call, struct explain_out *out)
{
	const char *name = name_in_zone(call, &out->trace);
	gaz_status st = GAZ_ENOTFOUND;

	while (name && *name && st == GAZ_ENOTFOUND) {
		const char *dot = strchr(name, '.');

		st = find_service(call, &out->ns, name, &out->service);
		name = dot ? dot + 1 : NULL;
	}
	out->has_service = st == GAZ_OK;
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static const char *data_for(const struct instance_record *inst, uint16_t type)
{
	const char *alias = projection_attribute(inst, "AWS_ALIAS_DNS_NAME");
	const char *cname = projection_attribute(inst, "AWS_INSTANCE_CNAME");

	switch (type) {
	case DNS_TYPE_A:
		return alias   ? alias
		       : cname ? cname
			       : projection_attribute(inst, "AWS_INSTANCE_IPV4");
	case DNS_TYPE_AAAA:
		return alias   ? alias
		       : cname ? cname
			       : projection_attribute(inst, "AWS_INSTANCE_IPV6");
	case DNS_TYPE_SRV:
		return projection_attribute(inst, "AWS_INSTANCE_PORT");
	case DNS_TYPE_CNAME:
		return cname;
	default:
		return NULL;
	}
}

static gaz_status explain_instances(struct call *call, const struct question *q,
				    struct explain_out *out)
{
	struct instance_record *items = NULL;
	size_t count = 0;
	size_t healthy = 0;
	size_t holding = 0; /* data of the type that is asked for */
	gaz_status st = instance_load_all(call, out->service.id, &items, &count);

	if (st != GAZ_OK)
		return st;
	out->instances = arena_alloc(call->arena, (count + 1) * sizeof *out->instances);
	if (!out->instances)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < count; i++)
		healthy += items[i].healthy && data_for(&items[i], q->type);
	for (size_t i = 0; i < count; i++) {
		const char *data = data_for(&items[i], q->type);

		holding += data != NULL;
		out->instances[i] = (struct explain_instance){
			.id = items[i].id,
			.data = data,
			.status = health_of(&out->service, &items[i]),
			.eligible = data && (items[i].healthy || healthy == 0),
		};
	}
	out->instance_count = count;
	out->fail_open = holding > 0 && healthy == 0;
	return GAZ_OK;
}

static gaz_status explain_namespace(struct call *call, const struct question *q,
				    struct explain_out *out)
{
	gaz_status st;

	if (out->trace.match == TRACE_NO_ZONE || out->trace.zone.kind == ZONE_STATIC)
		return GAZ_OK;
	st = call_load_namespace(call, out->trace.zone.id, &out->ns);
	if (st == GAZ_ENOTFOUND)
		return GAZ_OK; /* of another region or account */
	out->has_namespace = st == GAZ_OK;
	if (st == GAZ_OK && out->trace.match == TRACE_EXACT)
		st = explain_service(call, out);
	return st == GAZ_OK && out->has_service ? explain_instances(call, q, out) : st;
}

/* ---- the answer ---- */

static size_t write_query(const struct question *q, uint8_t query[QUERY_SIZE])
{
	uint8_t *at = query + DNS_HEADER_LEN + q->name_len;

	memset(query, 0, QUERY_SIZE);
	wire_put_u16(query + 2, DNS_FLAG_RD);
	wire_put_u16(query + 4, 1);
	wire_put_u16(query + 10, 1); /* an OPT record, so that the reply may say more */
	memcpy(query + DNS_HEADER_LEN, q->name, q->name_len);
	wire_put_u16(at, q->type);
	wire_put_u16(at + 2, DNS_CLASS_IN);
	wire_put_u16(at + 5, DNS_TYPE_OPT);
	wire_put_u16(at + 7, 1232);
	return (size_t)(at + 4 + DNS_OPT_LEN - query);
}

static gaz_status ask(struct call *call, const struct question *q,
		      struct explain_out *out)
{
	const struct registry_dns *dns = call->registry->config.dns;
	uint8_t query[QUERY_SIZE];
	uint8_t *reply;
	size_t len;
	gaz_status st;

	if (!dns)
		return GAZ_OK;
	reply = malloc(REPLY_SIZE);
	if (!reply)
		return GAZ_ENOMEM;
	len = dns->answer(dns->arg, query, write_query(q, query), &q->source, q->listener,
			  reply, REPLY_SIZE);
	out->is_special = len == 0 && out->trace.match == TRACE_NO_ZONE &&
			  dns->stays_here(dns->arg, q->name);
	out->is_forwarded = len == 0 && !out->is_special;
	st = present_reply(reply, len, call->arena, &out->reply);
	out->has_reply = st == GAZ_OK;
	free(reply);
	return st == GAZ_EFORMAT ? GAZ_OK : st;
}

gaz_status explain_answer(struct call *call, const void *in, void *out)
{
	const struct explain_in *input = in;
	struct explain_out *result = out;
	struct question q;
	char text[DNAME_TEXT_SIZE];
	gaz_status st = read_question(call, input, &q);

	if (st != GAZ_OK)
		return st;
	result->name = arena_strdup(call->arena, dname_to_text(q.name, text));
	result->type = input->type ? input->type : "A";
	result->source = input->from ? input->from : "127.0.0.1";
	result->listener = input->to;
	zonedb_enter_thread();
	st = trace_name(call->registry->db, &q.source, q.listener_vpc, q.name, q.type,
			call->arena, &result->trace);
	if (st == GAZ_OK)
		st = ask(call, &q, result);
	zonedb_leave_thread();
	if (st == GAZ_OK)
		st = explain_view(call, &q, result);
	return st == GAZ_OK ? explain_namespace(call, &q, result) : st;
}
