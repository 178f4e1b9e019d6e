/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "registry/namespace-internal.h"
#include "registry/projection.h"
#include "registry/registry-internal.h"
#include "registry/tag-internal.h"

/* CreateHttpNamespace, CreatePrivateDnsNamespace, CreatePublicDnsNamespace. */

enum {
	HTTP_NAME_MAX = 1024,
	/* So far the list may be ahead of a clock that has gone back, or of calls that
	 * come faster than one a millisecond, and keep its order. The operation's
	 * UpdateDate is no earlier; clients look for it up to a minute from now. */
	AHEAD_MS = 60000,
};

/* Above all TTLs. The default is not part of the request: a retry must be
 * recognised also after a restart with another one. */
static const uint32_t TTL_UNSET = UINT32_MAX;

/* What the client asked for, in one sequence of bytes: the apply function
 * reads it, and a repeated request is recognised by it. */
static void put_create_intent(struct bytes *b, const struct namespace_kind *kind,
			      const struct create_namespace_in *in)
{
	const struct namespace_properties_in *p = in->properties;

	bytes_put_u8(b, (uint8_t)kind->type);
	bytes_put_text(b, in->name);
	bytes_put_text(b, kind->type == NAMESPACE_DNS_PRIVATE ? in->vpc : NULL);
	bytes_put_text(b, in->description);
	bytes_put_u32(b, p ? (uint32_t)p->dns_properties->soa->ttl.value : TTL_UNSET);
	schema_put_pairs(b, &in->tags);
}

static gaz_status check_not_taken(struct call *call, const struct namespace_kind *kind,
				  const struct create_namespace_in *in)
{
	struct namespace_record wanted = {.type = kind->type, .name = in->name};
	struct namespace_record existing;
	struct key name;
	const char *id;
	gaz_status st;

	/* Of a private namespace the conflict shows when the zone is made. */
	if (kind->type == NAMESPACE_DNS_PRIVATE)
		return GAZ_OK;
	st = namespace_own_name_key(call, &wanted, &name);
	if (st == GAZ_OK)
		st = call_find_name(call, &name, &id);
	if (st == GAZ_ENOTFOUND)
		return GAZ_OK;
	if (st == GAZ_OK)
		st = call_load_namespace(call, id, &existing);
	if (st != GAZ_OK)
		return st;
	fault_set(&call->fault, FAULT_NAMESPACE_ALREADY_EXISTS,
		  "Namespace with name %.900s and type %s already exists", in->name,
		  kind->type_name);
	fault_add(&call->fault, "NamespaceId", existing.id);
	return fault_add(&call->fault, "CreatorRequestId", existing.creator_request_id);
}

static gaz_status check_vpc(struct call *call, const struct namespace_kind *kind,
			    const char *vpc_id)
{
	if (kind->type == NAMESPACE_DNS_PRIVATE && vpc_id[0] == '\0')
		return fault_set(
			&call->fault, FAULT_INVALID_INPUT,
			"Vpc must not be empty: it names the VPC whose sources see "
			"the namespace");
	return GAZ_OK;
}

static gaz_status reserve_place(struct call *call)
{
	uint32_t limit = call->registry->config.max_namespaces;
	const char *id = call_partition_id(call);
	struct tally tally;
	gaz_status st;

	if (!id)
		return GAZ_ENOMEM;
	st = call_load_tally(call, 'p', id, &tally);
	if (st != GAZ_OK)
		return st;
	if (limit > 0 && tally.children >= limit)
		return fault_set(
			&call->fault, FAULT_RESOURCE_LIMIT_EXCEEDED,
			"You have exceeded the number of namespaces allowed (%u)", limit);
	tally.children++;
	call_save_tally(call, 'p', id, &tally);
	return GAZ_OK;
}

/* The checks that are made while the client waits, in the order AWS makes them. */
static gaz_status check_create(struct call *call, const struct namespace_kind *kind,
			       const struct create_namespace_in *in,
			       const struct operation_plan *plan)
{
	gaz_status st = tag_check(call, &in->tags);

	if (st == GAZ_OK)
		st = check_vpc(call, kind, in->vpc);
	if (st == GAZ_OK)
		st = check_not_taken(call, kind, in);
	if (st == GAZ_OK)
		st = operation_check_locks(call, plan);
	if (st == GAZ_OK)
		st = reserve_place(call);
	return st;
}

/* Ids are made when the operation is submitted: its targets show them. */
static gaz_status put_create_ids(struct bytes *b, const struct namespace_kind *kind,
				 const char *namespace_id, const char *token)
{
	char zone_id[ID_ZONE_SIZE];

	if (id_hosted_zone(zone_id) != GAZ_OK)
		return GAZ_EIO;
	bytes_put_text(b, namespace_id);
	bytes_put_text(b, token);
	bytes_put_text(b, kind->type == NAMESPACE_HTTP ? NULL : zone_id);
	return GAZ_OK;
}

static gaz_status create(struct call *call, const struct namespace_kind *kind,
			 const struct create_namespace_in *in,
			 struct operation_started_out *out)
{
	struct operation_plan plan = {.type = OPERATION_CREATE_NAMESPACE,
				      .call_name = kind->create_call};
	char id[ID_RESOURCE_SIZE];
	char uuid[ID_UUID_SIZE];
	const char *token = in->creator_request_id;
	struct bytes intent;
	gaz_status st;

	bytes_init(&intent);
	put_create_intent(&intent, kind, in);
	st = operation_find_retry(call, &plan, token, &intent, &out->operation_id);
	if (st != GAZ_ENOTFOUND)
		goto out;
	if (!token && id_uuid(uuid) == GAZ_OK)
		token = uuid;
	if (!token || id_resource("ns-", id) != GAZ_OK) {
		st = GAZ_EIO;
		goto out;
	}
	st = namespace_make_locks(call, in->name, id, &plan);
	if (st == GAZ_OK)
		st = check_create(call, kind, in, &plan);
	if (st == GAZ_OK)
		st = put_create_ids(&intent, kind, id, token);
	if (st == GAZ_OK) {
		plan.namespace_id = id;
		plan.scope_namespace = id;
		plan.intent = &intent;
		st = operation_submit(call, &plan, &out->operation_id);
	}
out:
	bytes_fini(&intent);
	return st;
}

gaz_status namespace_create_http(struct call *call, const void *in, void *out)
{
	return create(call, &namespace_kind_http, in, out);
}

gaz_status namespace_create_private_dns(struct call *call, const void *in, void *out)
{
	return create(call, &namespace_kind_private, in, out);
}

gaz_status namespace_create_public_dns(struct call *call, const void *in, void *out)
{
	return create(call, &namespace_kind_public, in, out);
}

static gaz_status fail_with(struct operation_failure *fail, const char *code,
			    const char *message)
{
	fail->code = code;
	fail->message = message;
	return message ? GAZ_OK : GAZ_ENOMEM;
}

/* The text is Route 53's: clients look for the error code in it. */
static gaz_status fail_zone_conflict(struct call *call, const struct namespace_record *ns,
				     const char *existing_id,
				     struct operation_failure *fail)
{
	struct namespace_record existing;
	char request_id[ID_UUID_SIZE];
	gaz_status st = call_load_namespace(call, existing_id, &existing);

	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	if (id_uuid(request_id) != GAZ_OK)
		return GAZ_EIO;
	return fail_with(
		fail, "CANNOT_CREATE_HOSTED_ZONE",
		arena_printf(call->arena,
			     "The VPC %s in region %s has already been associated with "
			     "the hosted zone %s with the same domain name. (Service: "
			     "AmazonRoute53; Status Code: 400; Error Code: "
			     "ConflictingDomainExists; Request ID: %s)",
			     ns->vpc_id, ns->region, existing.hosted_zone_id,
			     request_id));
}

static gaz_status fail_zone_name(struct call *call, const struct namespace_record *ns,
				 struct operation_failure *fail)
{
	char request_id[ID_UUID_SIZE];

	if (id_uuid(request_id) != GAZ_OK)
		return GAZ_EIO;
	return fail_with(
		fail, "CANNOT_CREATE_HOSTED_ZONE",
		arena_printf(call->arena,
			     "%s is not a valid domain name: labels have 1 to 63 "
			     "octets (Service: AmazonRoute53; Status Code: 400; Error "
			     "Code: InvalidDomainName; Request ID: %s)",
			     ns->name, request_id));
}

/* Only where configuration says which VPCs there are, one may be unknown. */
static gaz_status check_vpc_known(struct call *call, const struct namespace_record *ns,
				  struct operation_failure *fail)
{
	char request_id[ID_UUID_SIZE];
	gaz_status st;

	if (ns->type != NAMESPACE_DNS_PRIVATE || !call->registry->config.strict_vpcs)
		return GAZ_OK;
	st = vpc_find(call, ns->vpc_id);
	if (st != GAZ_ENOTFOUND)
		return st;
	if (id_uuid(request_id) != GAZ_OK)
		return GAZ_EIO;
	return fail_with(
		fail, "CANNOT_CREATE_HOSTED_ZONE",
		arena_printf(call->arena,
			     "The VPC %s in region %s is not declared; declare it "
			     "first, or start without --strict-vpcs (Service: "
			     "AmazonRoute53; Status Code: 400; Error Code: InvalidVPCId; "
			     "Request ID: %s)",
			     ns->vpc_id, ns->region, request_id));
}

/* HttpName is the name itself, or made unique where that is taken. */
static gaz_status choose_http_name(struct call *call, struct namespace_record *ns,
				   struct key *key_out)
{
	const int keep = HTTP_NAME_MAX - ID_SUFFIX_SIZE; /* the suffix and its hyphen */
	const char *holder;
	char suffix[ID_SUFFIX_SIZE];
	gaz_status st;

	ns->http_name = ns->name;
	for (;;) {
		st = call_name_key(call, NAME_DISCOVERY, NULL, ns->http_name, key_out);
		if (st == GAZ_OK)
			st = call_find_name(call, key_out, &holder);
		if (st != GAZ_OK)
			return st == GAZ_ENOTFOUND ? GAZ_OK : st;
		if (id_suffix(suffix) != GAZ_OK)
			return GAZ_EIO;
		ns->http_name =
			arena_printf(call->arena, "%.*s-%s", keep, ns->name, suffix);
		if (!ns->http_name)
			return GAZ_ENOMEM;
	}
}

static gaz_status read_create_intent(struct call *call, struct reader *intent,
				     struct namespace_record *ns, struct pair_list *tags)
{
	ns->type = (enum namespace_type)reader_u8(intent);
	ns->name = reader_text(intent, call->arena);
	ns->vpc_id = reader_text(intent, call->arena);
	ns->description = reader_text(intent, call->arena);
	ns->soa_ttl = reader_u32(intent);
	if (ns->soa_ttl == TTL_UNSET)
		ns->soa_ttl = call->registry->config.apex->ttl;
	schema_read_pairs(intent, call->arena, tags);
	ns->id = reader_text(intent, call->arena);
	ns->creator_request_id = reader_text(intent, call->arena);
	ns->hosted_zone_id = reader_text(intent, call->arena);
	ns->region = call->region;
	ns->account = call->account;
	if (call->arena->failed)
		return GAZ_ENOMEM;
	return intent->failed ? GAZ_ESTORE : GAZ_OK;
}

static gaz_status insert(struct call *call, struct namespace_record *ns,
			 const struct key *own_name, const struct pair_list *tags)
{
	struct key http_name;
	struct key partition = {0};
	struct key order = {0};
	struct bytes empty;
	gaz_status st = choose_http_name(call, ns, &http_name);

	call_put_partition(call, &partition);
	if (st == GAZ_OK)
		st = call_follow_last(call, TABLE_NAMESPACE_ORDER, &partition, AHEAD_MS,
				      &call->now_ms);
	ns->create_ms = call->now_ms;
	if (st == GAZ_OK)
		st = projection_add_namespace(call->edit, call->registry->config.apex,
					      ns);
	if (st != GAZ_OK)
		return st;
	bytes_init(&empty);
	namespace_make_order_key(call, ns, &order);
	namespace_save(call, ns);
	call_put(call, TABLE_NAMESPACE_ORDER, key_span(&order), &empty);
	call_claim_name(call, own_name, ns->id);
	call_claim_name(call, &http_name, ns->id);
	tag_save(call, ns->id, tags);
	log_debug("namespace-created", "id=%s", ns->id);
	return GAZ_OK;
}

/* What Route 53 would refuse. */
static gaz_status check_zone(struct call *call, const struct namespace_record *ns,
			     const struct key *own_name, struct operation_failure *fail)
{
	const char *existing_id;
	gaz_status st;

	if (ns->type != NAMESPACE_HTTP && !projection_is_zone_name(ns->name))
		return fail_zone_name(call, ns, fail);
	st = call_find_name(call, own_name, &existing_id);
	if (st == GAZ_OK)
		return fail_zone_conflict(call, ns, existing_id, fail);
	return st == GAZ_ENOTFOUND ? check_vpc_known(call, ns, fail) : st;
}

gaz_status namespace_apply_create(struct call *call, struct reader *intent,
				  struct operation_failure *fail)
{
	struct namespace_record ns = {0};
	struct pair_list tags;
	struct key own_name;
	gaz_status st = read_create_intent(call, intent, &ns, &tags);

	if (st == GAZ_OK)
		st = namespace_own_name_key(call, &ns, &own_name);
	if (st == GAZ_OK)
		st = check_zone(call, &ns, &own_name, fail);
	if (st != GAZ_OK)
		return st;
	return fail->code ? namespace_give_place_back(call)
			  : insert(call, &ns, &own_name, &tags);
}

gaz_status namespace_abandon_create(struct call *call, struct reader *intent)
{
	(void)intent;
	return namespace_give_place_back(call);
}
