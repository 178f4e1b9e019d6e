/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/encode.h"

#include "api/encode-internal.h"
#include "api/server.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/tag.h"
#include "registry/vpc.h"

double encode_seconds(int64_t ms)
{
	return (double)ms / 1000.0;
}

bool encode_add_optional(json_t *object, const char *member, const char *text)
{
	return !text || json_object_set_new(object, member, json_string(text)) == 0;
}

json_t *encode_finish(json_t *object, bool complete)
{
	if (!complete) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *encode_with_next_token(json_t *object, const char *next_token)
{
	return object ? encode_finish(object, encode_add_optional(object, "NextToken",
								  next_token))
		      : NULL;
}

json_t *encode_list(const void *items, size_t count, size_t size,
		    json_t *(*encode)(const void *item))
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < count; i++) {
		if (json_array_append_new(list, encode((const char *)items + i * size)) <
		    0)
			return encode_finish(list, false);
	}
	return list;
}

json_t *encode_nothing(const struct call *call, const void *out)
{
	(void)call;
	(void)out;
	return json_object();
}

json_t *encode_no_body(const struct call *call, const void *out)
{
	(void)call;
	(void)out;
	return json_null();
}

json_t *encode_operation_started(const struct call *call, const void *out)
{
	const struct operation_started_out *started = out;

	(void)call;
	return json_pack("{s:s}", "OperationId", started->operation_id);
}

/* Namespaces */

/* AWS shows the missing DNS part of an HTTP namespace as {} in GetNamespace
 * and as {"SOA":{}} in ListNamespaces. */
static json_t *encode_properties(const struct namespace_record *ns, bool in_list)
{
	json_t *dns;

	if (ns->type != NAMESPACE_HTTP)
		dns = json_pack("{s:s*, s:{s:I}}", "HostedZoneId", ns->hosted_zone_id,
				"SOA", "TTL", (json_int_t)ns->soa_ttl);
	else if (in_list)
		dns = json_pack("{s:{}}", "SOA");
	else
		dns = json_object();
	return json_pack("{s:o, s:{s:s}}", "DnsProperties", dns, "HttpProperties",
			 "HttpName", ns->http_name);
}

static json_t *encode_namespace_common(const struct namespace_record *ns, bool in_list)
{
	static const char *const types[] = {
		[NAMESPACE_HTTP] = "HTTP",
		[NAMESPACE_DNS_PRIVATE] = "DNS_PRIVATE",
		[NAMESPACE_DNS_PUBLIC] = "DNS_PUBLIC",
	};
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:I, s:o, s:f}", "Id",
				   ns->id, "Arn", ns->arn, "ResourceOwner", ns->account,
				   "Name", ns->name, "Type", NAME_OF(types, ns->type),
				   "ServiceCount", (json_int_t)ns->service_count,
				   "Properties", encode_properties(ns, in_list),
				   "CreateDate", encode_seconds(ns->create_ms));
	bool described = ns->description && *ns->description;

	if (!object)
		return NULL;
	return encode_finish(
		object,
		encode_add_optional(object, "Description",
				    described ? ns->description : NULL) &&
			encode_add_optional(object, "CreatorRequestId",
					    in_list ? NULL : ns->creator_request_id));
}

json_t *encode_namespace(const struct call *call, const void *out)
{
	(void)call;
	return json_pack("{s:o}", "Namespace", encode_namespace_common(out, false));
}

static json_t *encode_namespace_summary(const void *item)
{
	return encode_namespace_common(item, true);
}

json_t *encode_namespace_page(const struct call *call, const void *out)
{
	const struct namespace_page_out *page = out;

	(void)call;
	return encode_with_next_token(
		json_pack("{s:o}", "Namespaces",
			  encode_list(page->items, page->count, sizeof *page->items,
				      encode_namespace_summary)),
		page->next_token);
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

json_t *encode_operation(const struct call *call, const void *out)
{
	static const char *const types[] = {
		[OPERATION_CREATE_NAMESPACE] = "CREATE_NAMESPACE",
		[OPERATION_DELETE_NAMESPACE] = "DELETE_NAMESPACE",
		[OPERATION_UPDATE_NAMESPACE] = "UPDATE_NAMESPACE",
		[OPERATION_UPDATE_SERVICE] = "UPDATE_SERVICE",
		[OPERATION_REGISTER_INSTANCE] = "REGISTER_INSTANCE",
		[OPERATION_DEREGISTER_INSTANCE] = "DEREGISTER_INSTANCE",
	};
	const struct operation_record *op = out;
	bool failed = op->status == OPERATION_FAIL;
	json_t *targets =
		json_pack("{s:s*, s:s*, s:s*}", "NAMESPACE", op->namespace_id, "SERVICE",
			  op->service_id, "INSTANCE", op->instance_id);
	json_t *object =
		json_pack("{s:s, s:s, s:s*, s:s*, s:f, s:f, s:o}", "Id", op->id,
			  "OwnerAccount", op->account, "Type", NAME_OF(types, op->type),
			  "Status", operation_status_name(op->status), "CreateDate",
			  encode_seconds(op->create_ms), "UpdateDate",
			  encode_seconds(op->update_ms), "Targets", targets);

	(void)call;
	if (!object)
		return NULL;
	object = encode_finish(
		object, encode_add_optional(object, "ErrorCode",
					    failed ? op->error_code : NULL) &&
				encode_add_optional(object, "ErrorMessage",
						    failed ? op->error_message : NULL));
	return json_pack("{s:o}", "Operation", object);
}

static json_t *encode_operation_summary(const void *item)
{
	const struct operation_record *op = item;

	return json_pack("{s:s, s:s*}", "Id", op->id, "Status",
			 operation_status_name(op->status));
}

json_t *encode_operation_page(const struct call *call, const void *out)
{
	const struct operation_page_out *page = out;

	(void)call;
	return encode_with_next_token(
		json_pack("{s:o}", "Operations",
			  encode_list(page->items, page->count, sizeof *page->items,
				      encode_operation_summary)),
		page->next_token);
}

/* Tags */

static json_t *encode_tag(const void *item)
{
	const struct text_pair *tag = item;

	return json_pack("{s:s, s:s}", "Key", tag->key, "Value", tag->value);
}

json_t *encode_tags(const struct call *call, const void *out)
{
	const struct tags_out *tags = out;

	(void)call;
	return json_pack("{s:o}", "Tags",
			 encode_list(tags->tags.items, tags->tags.count,
				     sizeof *tags->tags.items, encode_tag));
}

/* Our own */

static json_t *encode_text(const void *item)
{
	return json_string(*(const char *const *)item);
}

static json_t *encode_vpc_record(const void *item)
{
	const struct vpc_record *vpc = item;

	return json_pack(
		"{s:s, s:o, s:b}", "VpcId", vpc->id, "Cidrs",
		encode_list(vpc->cidrs, vpc->cidr_count, sizeof *vpc->cidrs, encode_text),
		"Fixed", vpc->fixed);
}

json_t *encode_vpc(const struct call *call, const void *out)
{
	(void)call;
	return json_pack("{s:o}", "Vpc", encode_vpc_record(out));
}

json_t *encode_vpc_page(const struct call *call, const void *out)
{
	const struct vpc_page_out *page = out;

	(void)call;
	return json_pack("{s:o}", "Vpcs",
			 encode_list(page->items, page->count, sizeof *page->items,
				     encode_vpc_record));
}

/* Mnemonics of RFC 1035 and RFC 2136; the unnamed ones are never sent. */
static json_t *encode_rcodes(const uint64_t counts[16])
{
	static const char *const names[] = {
		"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
	};
	json_t *object = json_object();

	for (size_t i = 0; object && i < sizeof names / sizeof *names; i++) {
		if (json_object_set_new(object, names[i],
					json_integer((json_int_t)counts[i])) < 0)
			return encode_finish(object, false);
	}
	return object;
}

json_t *encode_status(const struct call *call, const void *out)
{
	const struct api_status *s = out;

	(void)call;
	return json_pack(
		"{s:{s:s*, s:f, s:s*, s:s*, s:s*, s:s*, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I, s:o}}",
		"Status", "Version", s->version, "StartDate",
		encode_seconds(s->started_ms), "DnsAddresses", s->dns_addresses,
		"ApiAddresses", s->api_addresses, "SocketPath", s->socket_path, "DataDir",
		s->data_dir, "Workers", (json_int_t)s->workers, "Zones",
		(json_int_t)s->zones, "Names", (json_int_t)s->names, "UdpQueries",
		(json_int_t)s->udp_queries, "TcpQueries", (json_int_t)s->tcp_queries,
		"Answered", (json_int_t)s->answered, "Dropped", (json_int_t)s->dropped,
		"Truncated", (json_int_t)s->truncated, "Rcodes",
		encode_rcodes(s->rcodes));
}
