/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/service.h"

#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "dns/name.h"
#include "registry/operation-internal.h"
#include "registry/registry-internal.h"
#include "registry/service-internal.h"
#include "registry/tag-internal.h"

enum {
	ORDER_KEYS = SERVICE_ORDER_KEYS,
	/* So far a list may be ahead of a clock that has gone back, or of calls that come
	 * faster than one a millisecond, and keep its order. */
	AHEAD_MS = 3600000,
};

static gaz_status refuse(struct call *call, const char *text)
{
	return fault_set(&call->fault, FAULT_INVALID_INPUT, "%s", text);
}

/* ---- the rules of CreateService ---- */

/* DnsConfig.NamespaceId is the deprecated place of NamespaceId. */
static gaz_status choose_namespace(struct call *call, const struct create_service_in *in,
				   const char **id_out)
{
	const char *inner = in->dns_config ? in->dns_config->namespace_id : NULL;
	const char *outer = in->namespace_id;

	if (!outer && !inner)
		return refuse(call, "NamespaceId must be given");
	/* One of them may be the ARN of the other. */
	if (outer && call_resolve_id(call, "namespace", outer, &outer) == GAZ_ENOMEM)
		return GAZ_ENOMEM;
	if (inner && call_resolve_id(call, "namespace", inner, &inner) == GAZ_ENOMEM)
		return GAZ_ENOMEM;
	if (outer && inner && strcmp(outer, inner) != 0)
		return refuse(call,
			      "NamespaceId and DnsConfig.NamespaceId must be the same");
	*id_out = in->namespace_id ? in->namespace_id : in->dns_config->namespace_id;
	return GAZ_OK;
}

/* A service cannot be added to a namespace that is about to go. */
static gaz_status require_living_namespace(struct call *call, const char *id_or_arn,
					   struct namespace_record *ns)
{
	const char *operation_id;
	const char *call_name;
	struct key lock;
	gaz_status st = call_require_namespace(call, id_or_arn, ns);

	if (st == GAZ_OK)
		st = operation_lock_key(call, "namespace", ns->id, &lock);
	if (st == GAZ_OK)
		st = operation_find_lock(call, &lock, &operation_id, &call_name);
	if (st == GAZ_OK && strcmp(call_name, "DeleteNamespace") == 0)
		return fault_set(&call->fault, FAULT_NAMESPACE_NOT_FOUND,
				 "Namespace %s does not exist", id_or_arn);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status check_records(struct call *call, const struct dns_config_in *dns)
{
	const struct dns_record_list *records = &dns->dns_records;
	unsigned types = 0;

	if (records->count == 0)
		return refuse(call,
			      "DnsConfig.DnsRecords must name at least one record type");
	for (size_t i = 0; i < records->count; i++) {
		unsigned bit = 1u << records->items[i].type;

		if (types & bit)
			return refuse(call,
				      "DnsConfig.DnsRecords must not name a record type "
				      "twice");
		types |= bit;
	}
	if (records->count > 1 && types != (1u << RECORD_A | 1u << RECORD_AAAA))
		return refuse(call,
			      "DnsConfig.DnsRecords must be A, AAAA, A and AAAA, SRV, "
			      "or CNAME");
	if (types == 1u << RECORD_CNAME && dns->routing_policy != ROUTING_WEIGHTED)
		return refuse(call, "A service of CNAME records needs the routing policy "
				    "WEIGHTED");
	return GAZ_OK;
}

/* The service "." is the namespace's own name, and a final dot takes no room. */
static bool has_dns_name(const char *service, const char *namespace)
{
	uint8_t apex[DNAME_MAX];
	uint8_t owner[DNAME_MAX];
	size_t len;

	return dname_from_text(namespace, apex, &len) == GAZ_OK &&
	       dname_below(service, apex, owner, &len) == GAZ_OK;
}

static gaz_status check_dns_config(struct call *call, const struct create_service_in *in,
				   const struct namespace_record *ns)
{
	bool is_http = ns->type == NAMESPACE_HTTP || in->type == SERVICE_HTTP;

	/* Also of one without records. */
	if (ns->type != NAMESPACE_HTTP && !has_dns_name(in->name, ns->name))
		return refuse(call,
			      "The names of service and namespace are too long for one "
			      "domain name: 253 characters at most");
	if (in->dns_config && is_http)
		return refuse(call,
			      "When you specify an HTTP service, you can't include a "
			      "DnsConfig element.");
	if (is_http)
		return GAZ_OK;
	if (!in->dns_config)
		return refuse(call,
			      "A service in a DNS namespace needs a DnsConfig, or the "
			      "Type HTTP");
	return check_records(call, in->dns_config);
}

gaz_status service_check_health(struct call *call, const struct health_check_in *check,
				const struct namespace_record *ns, bool has_custom_health,
				bool has_cname)
{
	if (!check)
		return GAZ_OK;
	if (has_custom_health)
		return refuse(call, "A service has HealthCheckConfig or "
				    "HealthCheckCustomConfig, not both");
	if (ns->type == NAMESPACE_DNS_PRIVATE)
		return refuse(call, "HealthCheckConfig is not possible in a private DNS "
				    "namespace: use HealthCheckCustomConfig");
	if (check->type == HEALTH_CHECK_TCP && check->resource_path)
		return refuse(call,
			      "HealthCheckConfig.ResourcePath is not possible with the "
			      "type TCP");
	if (has_cname)
		return refuse(call,
			      "HealthCheckConfig is not possible for CNAME records");
	return GAZ_OK;
}

static bool has_cname(const struct create_service_in *in)
{
	return in->dns_config && in->dns_config->dns_records.count > 0 &&
	       in->dns_config->dns_records.items[0].type == RECORD_CNAME;
}

/* ---- building the record ---- */

void service_set_health(struct service_record *svc, const struct health_check_in *check)
{
	svc->health_check = check ? check->type : 0;
	svc->failure_threshold = 0;
	svc->resource_path = NULL;
	if (!check)
		return;
	svc->failure_threshold = check->failure_threshold.present
					 ? (uint32_t)check->failure_threshold.value
					 : 1;
	if (check->type != HEALTH_CHECK_TCP)
		svc->resource_path = check->resource_path ? check->resource_path : "/";
}

static void fill_record(const struct create_service_in *in,
			const struct namespace_record *ns, struct service_record *svc)
{
	const struct dns_config_in *dns = in->dns_config;

	*svc = (struct service_record){
		.type = dns ? SERVICE_DNS_HTTP : SERVICE_HTTP,
		.region = ns->region,
		.account = ns->account,
		.name = in->name,
		.namespace_id = ns->id,
		.description =
			in->description && *in->description ? in->description : NULL,
		.creator_request_id = in->creator_request_id,
		.has_custom_health = in->custom_health != NULL,
	};
	if (dns) {
		svc->routing_policy =
			dns->routing_policy ? dns->routing_policy : ROUTING_MULTIVALUE;
		svc->dns_record_count = dns->dns_records.count;
		for (size_t i = 0; i < dns->dns_records.count; i++) {
			svc->dns_records[i].type = dns->dns_records.items[i].type;
			svc->dns_records[i].ttl =
				(uint32_t)dns->dns_records.items[i].ttl.value;
		}
	}
	service_set_health(svc, in->health_check);
}

gaz_status service_name_key(struct call *call, const struct namespace_record *ns,
			    const char *name, struct key *out)
{
	if (ns->type != NAMESPACE_HTTP)
		name = call_fold_name(call, name);
	return name ? call_name_key(call, NAME_SERVICE, ns->id, name, out) : GAZ_ENOMEM;
}

/* What tells two requests apart: all of it but the token, as a digest. */
static gaz_status digest_request(struct call *call, const struct create_service_in *in,
				 struct service_record *svc)
{
	char hex[CALL_DIGEST_SIZE];
	struct bytes request;
	gaz_status st;

	bytes_init(&request);
	schema_put_service(&request, svc);
	schema_put_pairs(&request, &in->tags);
	st = call_digest(&request, hex);
	bytes_fini(&request);
	if (st == GAZ_OK)
		svc->request_digest = arena_strdup(call->arena, hex);
	return svc->request_digest ? st : GAZ_ENOMEM;
}

static bool is_same_request(const struct service_record *existing,
			    const struct service_record *wanted)
{
	return wanted->creator_request_id &&
	       strcmp(existing->creator_request_id, wanted->creator_request_id) == 0 &&
	       strcmp(existing->request_digest, wanted->request_digest) == 0;
}

static gaz_status answer_existing(struct call *call, const char *id,
				  const struct service_record *wanted,
				  struct service_record *out)
{
	gaz_status st = call_load_service(call, id, out);

	if (st != GAZ_OK || is_same_request(out, wanted))
		return st;
	fault_set(&call->fault, FAULT_SERVICE_ALREADY_EXISTS, "Service already exists.");
	fault_add(&call->fault, "ServiceId", out->id);
	fault_add(&call->fault, "ServiceArn", out->arn);
	return fault_add(&call->fault, "CreatorRequestId", out->creator_request_id);
}

void service_make_order_keys(const struct call *call, const struct service_record *svc,
			     struct key out[SERVICE_ORDER_KEYS])
{
	key_put(&out[0], "p", 1);
	call_put_partition(call, &out[0]);
	key_put(&out[1], "n", 1);
	key_put_text(&out[1], svc->namespace_id);
	for (size_t i = 0; i < ORDER_KEYS; i++) {
		key_put_u64(&out[i], (uint64_t)svc->create_ms);
		key_put(&out[i], svc->id, strlen(svc->id));
	}
}

static gaz_status count_service(struct call *call, const char *namespace_id, int change)
{
	struct tally tally;
	gaz_status st = call_load_tally(call, 'n', namespace_id, &tally);

	if (st != GAZ_OK)
		return st;
	tally.children = (uint32_t)((int64_t)tally.children + change);
	call_save_tally(call, 'n', namespace_id, &tally);
	return GAZ_OK;
}

static gaz_status check_quota(struct call *call, const char *namespace_id)
{
	uint32_t most = call->registry->config.max_services_per_namespace;
	struct tally tally;
	gaz_status st = call_load_tally(call, 'n', namespace_id, &tally);

	if (st == GAZ_OK && most > 0 && tally.children >= most)
		return fault_set(&call->fault, FAULT_RESOURCE_LIMIT_EXCEEDED,
				 "The namespace has the number of services allowed (%u)",
				 most);
	return st;
}

static gaz_status insert(struct call *call, struct service_record *svc,
			 const struct key *name, const struct pair_list *tags)
{
	static const struct tally fresh = {.revision = 1};
	char id[ID_RESOURCE_SIZE];
	char uuid[ID_UUID_SIZE];
	struct key order[ORDER_KEYS] = {0};
	struct key partition = {0};
	struct bytes value;
	gaz_status st;

	if (id_resource("srv-", id) != GAZ_OK || id_uuid(uuid) != GAZ_OK)
		return GAZ_EIO;
	svc->id = arena_strdup(call->arena, id);
	if (!svc->creator_request_id)
		svc->creator_request_id = arena_strdup(call->arena, uuid);
	if (call->arena->failed)
		return GAZ_ENOMEM;
	key_put(&partition, "p", 1);
	call_put_partition(call, &partition);
	st = call_follow_last(call, TABLE_SERVICE_ORDER, &partition, AHEAD_MS,
			      &call->now_ms);
	svc->create_ms = call->now_ms;
	if (st == GAZ_OK)
		st = count_service(call, svc->namespace_id, +1);
	if (st != GAZ_OK)
		return st;
	service_make_order_keys(call, svc, order);
	bytes_init(&value);
	for (size_t i = 0; i < ORDER_KEYS; i++)
		call_put(call, TABLE_SERVICE_ORDER, key_span(&order[i]), &value);
	bytes_fini(&value);
	call_save_service(call, svc);
	call_claim_name(call, name, svc->id);
	call_save_tally(call, 's', svc->id, &fresh);
	tag_save(call, svc->id, tags);
	log_debug("service-created", "id=%s namespace=%s", svc->id, svc->namespace_id);
	return GAZ_OK;
}

gaz_status service_create(struct call *call, const void *in, void *out)
{
	const struct create_service_in *input = in;
	struct namespace_record ns;
	struct service_record svc;
	struct key name;
	const char *id = NULL;
	gaz_status st = choose_namespace(call, input, &id);

	if (st == GAZ_OK)
		st = require_living_namespace(call, id, &ns);
	if (st == GAZ_OK)
		st = check_dns_config(call, input, &ns);
	if (st == GAZ_OK)
		st = service_check_health(call, input->health_check, &ns,
					  input->custom_health != NULL, has_cname(input));
	if (st == GAZ_OK)
		st = tag_check(call, &input->tags);
	if (st != GAZ_OK)
		return st;
	fill_record(input, &ns, &svc);
	st = digest_request(call, input, &svc);
	if (st == GAZ_OK)
		st = service_name_key(call, &ns, input->name, &name);
	if (st == GAZ_OK)
		st = call_find_name(call, &name, &id);
	if (st == GAZ_OK)
		return answer_existing(call, id, &svc, out);
	if (st == GAZ_ENOTFOUND)
		st = check_quota(call, ns.id);
	if (st == GAZ_OK)
		st = insert(call, &svc, &name, &input->tags);
	return st == GAZ_OK ? call_load_service(call, svc.id, out) : st;
}

gaz_status service_get(struct call *call, const void *in, void *out)
{
	const struct id_in *input = in;

	return call_require_service(call, input->id, out);
}

gaz_status service_check_idle(struct call *call, const struct service_record *svc)
{
	const char *operation_id;
	const char *call_name;
	struct key lock;
	gaz_status st = operation_lock_key(call, "service", svc->id, &lock);

	if (st == GAZ_OK)
		st = operation_find_lock(call, &lock, &operation_id, &call_name);
	if (st == GAZ_OK)
		return fault_set(&call->fault, FAULT_RESOURCE_IN_USE,
				 "Service %s is in use by the operation %s of type %s",
				 svc->id, operation_id, call_name);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

gaz_status service_delete(struct call *call, const void *in, void *out)
{
	const struct id_in *input = in;
	struct service_record svc;
	struct namespace_record ns;
	struct tally tally;
	struct key name;
	struct key order[ORDER_KEYS] = {0};
	gaz_status st = call_require_service(call, input->id, &svc);

	(void)out;
	if (st == GAZ_OK)
		st = call_load_tally(call, 's', svc.id, &tally);
	if (st == GAZ_OK && tally.children + tally.pending > 0)
		return fault_set(
			&call->fault, FAULT_RESOURCE_IN_USE,
			"Service contains registered instances; delete the instances "
			"before deleting the service");
	if (st == GAZ_OK)
		st = service_check_idle(call, &svc);
	if (st == GAZ_OK)
		st = call_load_namespace(call, svc.namespace_id, &ns);
	if (st == GAZ_OK)
		st = service_name_key(call, &ns, svc.name, &name);
	if (st == GAZ_OK)
		st = count_service(call, svc.namespace_id, -1);
	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	service_make_order_keys(call, &svc, order);
	for (size_t i = 0; i < ORDER_KEYS; i++)
		call_delete(call, TABLE_SERVICE_ORDER, key_span(&order[i]));
	call_delete(call, TABLE_SERVICE,
		    (struct span){(const uint8_t *)svc.id, strlen(svc.id)});
	call_delete(call, TABLE_SERVICE_ATTRIBUTES,
		    (struct span){(const uint8_t *)svc.id, strlen(svc.id)});
	call_delete(call, TABLE_NAME, key_span(&name));
	call_drop_tally(call, 's', svc.id);
	tag_forget(call, svc.id);
	log_debug("service-deleted", "id=%s", svc.id);
	return GAZ_OK;
}
