/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/encode.h"

#include <string.h>

#include "api/encode-internal.h"
#include "api/server.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/tag.h"
#include "registry/vpc.h"
#include "registry/zone.h"

void encode_nothing(const struct call *call, const void *out, struct json_out *w)
{
	(void)call;
	(void)out;
	json_begin_object(w);
	json_end_object(w);
}

void encode_no_body(const struct call *call, const void *out, struct json_out *w)
{
	(void)call;
	(void)out;
	(void)w;
}

void encode_operation_started(const struct call *call, const void *out,
			      struct json_out *w)
{
	const struct operation_started_out *started = out;

	(void)call;
	json_begin_object(w);
	json_member_text(w, "OperationId", started->operation_id);
	json_end_object(w);
}

/* Namespaces */

enum namespace_view {
	VIEW_WHOLE,
	VIEW_IN_LIST,
	VIEW_IN_OUR_LIST, /* Gazetteer.ListNamespaces: with the VPC, that AWS keeps */
};

/* AWS shows the missing DNS part of an HTTP namespace as {} in GetNamespace
 * and as {"SOA":{}} in ListNamespaces. */
static void put_dns_properties(struct json_out *w, const struct namespace_record *ns,
			       bool in_list)
{
	const bool is_dns = ns->type != NAMESPACE_HTTP;

	json_member_object(w, "DnsProperties");
	if (is_dns)
		json_member_optional(w, "HostedZoneId", ns->hosted_zone_id);
	if (is_dns || in_list) {
		json_member_object(w, "SOA");
		if (is_dns)
			json_member_uint(w, "TTL", ns->soa_ttl);
		json_end_object(w);
	}
	json_end_object(w);
}

static void put_properties(struct json_out *w, const struct namespace_record *ns,
			   bool in_list)
{
	json_member_object(w, "Properties");
	put_dns_properties(w, ns, in_list);
	json_member_object(w, "HttpProperties");
	json_member_text(w, "HttpName", ns->http_name);
	json_end_object(w);
	json_end_object(w);
}

static void put_namespace(struct json_out *w, const struct namespace_record *ns,
			  enum namespace_view view)
{
	const bool in_list = view != VIEW_WHOLE;
	static const char *const types[] = {
		[NAMESPACE_HTTP] = "HTTP",
		[NAMESPACE_DNS_PRIVATE] = "DNS_PRIVATE",
		[NAMESPACE_DNS_PUBLIC] = "DNS_PUBLIC",
	};

	json_begin_object(w);
	json_member_text(w, "Id", ns->id);
	json_member_text(w, "Arn", ns->arn);
	json_member_text(w, "ResourceOwner", ns->account);
	json_member_text(w, "Name", ns->name);
	json_member_optional(w, "Type", NAME_OF(types, ns->type));
	json_member_uint(w, "ServiceCount", ns->service_count);
	put_properties(w, ns, in_list);
	json_member_seconds(w, "CreateDate", ns->create_ms);
	if (ns->description && *ns->description)
		json_member_text(w, "Description", ns->description);
	if (!in_list)
		json_member_optional(w, "CreatorRequestId", ns->creator_request_id);
	if (view == VIEW_IN_OUR_LIST)
		json_member_optional(w, "Vpc", ns->vpc_id);
	json_end_object(w);
}

void encode_namespace(const struct call *call, const void *out, struct json_out *w)
{
	(void)call;
	json_begin_object(w);
	json_name(w, "Namespace");
	put_namespace(w, out, VIEW_WHOLE);
	json_end_object(w);
}

static void put_namespace_page(struct json_out *w, const struct namespace_page_out *page,
			       enum namespace_view view)
{
	json_begin_object(w);
	json_member_array(w, "Namespaces");
	for (size_t i = 0; i < page->count; i++)
		put_namespace(w, &page->items[i], view);
	json_end_array(w);
	json_member_optional(w, "NextToken", page->next_token);
	json_end_object(w);
}

void encode_namespace_page(const struct call *call, const void *out, struct json_out *w)
{
	(void)call;
	put_namespace_page(w, out, VIEW_IN_LIST);
}

void encode_our_namespace_page(const struct call *call, const void *out,
			       struct json_out *w)
{
	(void)call;
	put_namespace_page(w, out, VIEW_IN_OUR_LIST);
}

/* Operations */

static const char *operation_status_name(enum operation_status status)
{
	static const char *const names[] = {
		[OPERATION_SUBMITTED] = "SUBMITTED",
		[OPERATION_PENDING] = "PENDING",
		[OPERATION_SUCCESS] = "SUCCESS",
		[OPERATION_FAIL] = "FAIL",
	};

	return NAME_OF(names, status);
}

static void put_targets(struct json_out *w, const struct operation_record *op)
{
	json_member_object(w, "Targets");
	json_member_optional(w, "NAMESPACE", op->namespace_id);
	json_member_optional(w, "SERVICE", op->service_id);
	json_member_optional(w, "INSTANCE", op->instance_id);
	json_end_object(w);
}

static void put_operation(struct json_out *w, const struct operation_record *op)
{
	static const char *const types[] = {
		[OPERATION_CREATE_NAMESPACE] = "CREATE_NAMESPACE",
		[OPERATION_DELETE_NAMESPACE] = "DELETE_NAMESPACE",
		[OPERATION_UPDATE_NAMESPACE] = "UPDATE_NAMESPACE",
		[OPERATION_UPDATE_SERVICE] = "UPDATE_SERVICE",
		[OPERATION_REGISTER_INSTANCE] = "REGISTER_INSTANCE",
		[OPERATION_DEREGISTER_INSTANCE] = "DEREGISTER_INSTANCE",
	};

	json_begin_object(w);
	json_member_text(w, "Id", op->id);
	json_member_text(w, "OwnerAccount", op->account);
	json_member_optional(w, "Type", NAME_OF(types, op->type));
	json_member_optional(w, "Status", operation_status_name(op->status));
	json_member_seconds(w, "CreateDate", op->create_ms);
	json_member_seconds(w, "UpdateDate", op->update_ms);
	put_targets(w, op);
	if (op->status == OPERATION_FAIL) {
		json_member_optional(w, "ErrorCode", op->error_code);
		json_member_optional(w, "ErrorMessage", op->error_message);
	}
	json_end_object(w);
}

void encode_operation(const struct call *call, const void *out, struct json_out *w)
{
	(void)call;
	json_begin_object(w);
	json_name(w, "Operation");
	put_operation(w, out);
	json_end_object(w);
}

void encode_operation_page(const struct call *call, const void *out, struct json_out *w)
{
	const struct operation_page_out *page = out;

	(void)call;
	json_begin_object(w);
	json_member_array(w, "Operations");
	for (size_t i = 0; i < page->count; i++) {
		json_begin_object(w);
		json_member_text(w, "Id", page->items[i].id);
		json_member_optional(w, "Status",
				     operation_status_name(page->items[i].status));
		json_end_object(w);
	}
	json_end_array(w);
	json_member_optional(w, "NextToken", page->next_token);
	json_end_object(w);
}

/* Tags */

void encode_tags(const struct call *call, const void *out, struct json_out *w)
{
	const struct tags_out *result = out;

	(void)call;
	json_begin_object(w);
	json_member_array(w, "Tags");
	for (size_t i = 0; i < result->tags.count; i++) {
		json_begin_object(w);
		json_member_text(w, "Key", result->tags.items[i].key);
		json_member_text(w, "Value", result->tags.items[i].value);
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

/* Our own */

static void put_vpc(struct json_out *w, const struct vpc_record *vpc)
{
	json_begin_object(w);
	json_member_text(w, "VpcId", vpc->id);
	json_member_array(w, "Cidrs");
	for (size_t i = 0; i < vpc->cidr_count; i++)
		json_put_text(w, vpc->cidrs[i]);
	json_end_array(w);
	json_name(w, "Fixed");
	json_put_bool(w, vpc->fixed);
	json_end_object(w);
}

void encode_vpc(const struct call *call, const void *out, struct json_out *w)
{
	(void)call;
	json_begin_object(w);
	json_name(w, "Vpc");
	put_vpc(w, out);
	json_end_object(w);
}

void encode_vpc_page(const struct call *call, const void *out, struct json_out *w)
{
	const struct vpc_page_out *page = out;

	(void)call;
	json_begin_object(w);
	json_member_array(w, "Vpcs");
	for (size_t i = 0; i < page->count; i++)
		put_vpc(w, &page->items[i]);
	json_end_array(w);
	json_end_object(w);
}

/* What a zone is made from. Static ones without a file come from options. */
static const char *source_of(const struct zone_item *zone)
{
	if (zone->path)
		return zone->path;
	return strcmp(zone->type, "STATIC") == 0 ? "options" : "namespace";
}

static void put_zone(struct json_out *w, const struct zone_item *zone)
{
	json_begin_object(w);
	json_member_text(w, "Name", zone->name);
	json_member_text(w, "Id", zone->id);
	json_member_text(w, "Type", zone->type);
	json_member_optional(w, "VpcId", zone->vpc_id);
	json_name(w, "Served");
	json_put_bool(w, zone->is_served);
	if (zone->has_serial)
		json_member_uint(w, "Serial", zone->serial);
	json_member_uint(w, "Records", zone->records);
	json_member_uint(w, "Names", zone->names);
	json_member_text(w, "Source", source_of(zone));
	if (zone->loaded_ms > 0)
		json_member_seconds(w, "LoadDate", zone->loaded_ms);
	if (zone->path) {
		json_member_text(w, "State", zone->error ? "FAILED" : "LOADED");
		json_member_seconds(w, "ReadDate", zone->tried_ms);
		json_member_uint(w, "Warnings", zone->warnings);
	}
	if (zone->error) {
		json_name(w, "Error");
		json_put_cut_text(w, zone->error);
	}
	json_end_object(w);
}

void encode_zone_page(const struct call *call, const void *out, struct json_out *w)
{
	const struct zone_page_out *page = out;

	(void)call;
	json_begin_object(w);
	json_member_array(w, "Zones");
	for (size_t i = 0; i < page->count; i++)
		put_zone(w, &page->items[i]);
	json_end_array(w);
	json_end_object(w);
}

/* Mnemonics of RFC 1035 and RFC 2136; the unnamed ones are never sent. */
static void put_rcodes(struct json_out *w, const uint64_t counts[16])
{
	static const char *const names[] = {
		"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
	};

	json_member_object(w, "Rcodes");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		json_member_uint(w, names[i], counts[i]);
	json_end_object(w);
}

void encode_status(const struct call *call, const void *out, struct json_out *w)
{
	const struct api_status *s = out;

	(void)call;
	json_begin_object(w);
	json_member_object(w, "Status");
	json_member_optional(w, "Version", s->version);
	json_member_seconds(w, "StartDate", s->started_ms);
	json_member_optional(w, "DnsAddresses", s->dns_addresses);
	json_member_optional(w, "ApiAddresses", s->api_addresses);
	json_member_optional(w, "SocketPath", s->socket_path);
	json_member_optional(w, "DataDir", s->data_dir);
	json_member_uint(w, "Workers", s->workers);
	json_member_optional(w, "DnsCpus", s->dns_cpus);
	json_member_uint(w, "Zones", s->zones);
	json_member_uint(w, "Names", s->names);
	json_member_uint(w, "UdpQueries", s->udp_queries);
	json_member_uint(w, "UdpGrouped", s->udp_grouped);
	json_member_uint(w, "UdpRests", s->udp_rests);
	json_member_uint(w, "TcpQueries", s->tcp_queries);
	json_member_uint(w, "Answered", s->answered);
	json_member_uint(w, "Dropped", s->dropped);
	json_member_uint(w, "Truncated", s->truncated);
	put_rcodes(w, s->rcodes);
	json_member_object(w, "Forward");
	json_member_uint(w, "Queries", s->forward.queries);
	json_member_uint(w, "CacheHits", s->forward.cache_hits);
	json_member_uint(w, "Questions", s->forward.questions);
	json_member_uint(w, "Failures", s->forward.failures);
	json_member_uint(w, "TurnedAway", s->forward.turned_away);
	json_end_object(w);
	json_member_uint(w, "ApiGivenUp", s->api_given_up);
	json_end_object(w);
	json_end_object(w);
}
