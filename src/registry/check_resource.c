/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "registry/check-internal.h"
#include "registry/namespace-internal.h"
#include "registry/projection.h"
#include "registry/service-internal.h"

/* Namespaces and services. */

static void add_link(struct check_link links[CHECK_LINKS_MAX], size_t *count,
		     enum schema_table table, const struct key *key, const char *id)
{
	links[(*count)++] = (struct check_link){
		.table = table,
		.key = *key,
		.value = {(const uint8_t *)id, id ? strlen(id) : 0},
	};
}

static struct span id_span(const char *id)
{
	return (struct span){(const uint8_t *)id, strlen(id)};
}

/* ---- tallies ---- */

/* @param is_there  may be NULL: a tally that is all zero need not be */
static gaz_status load_tally(struct check *c, char kind, const char *id,
			     struct tally *out, bool *is_there)
{
	struct key key = {0};
	struct span value;
	gaz_status st;

	*out = (struct tally){0};
	key_put(&key, &kind, 1);
	key_put(&key, id, strlen(id));
	st = call_get_tally(&c->call, &key, &value);
	if (is_there)
		*is_there = st == GAZ_OK;
	if (st == GAZ_OK)
		st = schema_get_tally(value, out);
	/* What cannot be read is told where the tallies are walked. */
	return st == GAZ_ENOTFOUND || st == GAZ_ESTORE ? GAZ_OK : st;
}

static void compare_count(struct check *c, enum schema_table table, const char *id,
			  const char *what, size_t counted, size_t tallied)
{
	if (counted != tallied)
		check_fault(c, table, id_span(id), "its tally says %zu %s, there are %zu",
			    tallied, what, counted);
}

/* ---- namespaces ---- */

gaz_status check_load_namespace(struct check *c, const char *id,
				struct namespace_record *out)
{
	struct span value;
	gaz_status st = check_find(c, TABLE_NAMESPACE, id, &value);

	if (st != GAZ_OK)
		return st;
	*out = (struct namespace_record){0};
	st = schema_get_namespace(value, &c->arena, out);
	out->id = id;
	if (st == GAZ_OK && (!out->region || !out->account || !out->name ||
			     !out->http_name || !out->creator_request_id))
		st = GAZ_ESTORE;
	if (st == GAZ_OK && (out->type == NAMESPACE_DNS_PRIVATE) != (out->vpc_id != NULL))
		st = GAZ_ESTORE;
	return st;
}

static gaz_status list_namespace_links(struct check *c, const struct namespace_record *ns,
				       struct check_link links[CHECK_LINKS_MAX],
				       size_t *count)
{
	struct key order = {0};
	struct key name = {0};
	gaz_status st;

	*count = 0;
	c->call.region = ns->region;
	c->call.account = ns->account;
	namespace_make_order_key(&c->call, ns, &order);
	add_link(links, count, TABLE_NAMESPACE_ORDER, &order, NULL);
	st = namespace_own_name_key(&c->call, ns, &name);
	add_link(links, count, TABLE_NAME, &name, ns->id);
	if (st == GAZ_OK)
		st = call_name_key(&c->call, NAME_DISCOVERY, NULL, ns->http_name, &name);
	add_link(links, count, TABLE_NAME, &name, ns->id);
	return st;
}

gaz_status check_namespace_links(struct check *c, const char *id,
				 struct check_link links[CHECK_LINKS_MAX],
				 size_t *count_out)
{
	struct namespace_record ns;
	gaz_status st = check_load_namespace(c, id, &ns);

	*count_out = 0;
	if (st == GAZ_ENOTFOUND || st == GAZ_ESTORE)
		return GAZ_OK;
	return st == GAZ_OK ? list_namespace_links(c, &ns, links, count_out) : st;
}

static void check_namespace_members(struct check *c, const struct namespace_record *ns)
{
	struct span key = id_span(ns->id);
	bool is_http = ns->type == NAMESPACE_HTTP;

	if (!check_is_id(key, "ns-"))
		check_fault(c, TABLE_NAMESPACE, key, "that is not a namespace's id");
	if (ns->type < NAMESPACE_HTTP || ns->type > NAMESPACE_DNS_PUBLIC)
		check_fault(c, TABLE_NAMESPACE, key, "its type is unknown");
	else if (is_http != (ns->hosted_zone_id == NULL))
		check_fault(c, TABLE_NAMESPACE, key,
			    "its hosted zone id does not go "
			    "with its type");
	if (!is_http && !projection_is_zone_name(ns->name))
		check_fault(c, TABLE_NAMESPACE, key, "its name is no domain name");
}

/* The tally of a namespace is made of those of its services, each of which is
 * compared with what is there. */
static gaz_status check_namespace_tally(struct check *c,
					const struct namespace_record *ns)
{
	struct store_cursor *cursor = NULL;
	struct key prefix = {0};
	struct span key;
	struct span value;
	struct tally tally;
	struct tally sum = {0};
	gaz_status st = load_tally(c, 'n', ns->id, &tally, NULL);

	key_put(&prefix, "n", 1);
	key_put_text(&prefix, ns->id);
	if (st == GAZ_OK)
		st = store_cursor_open(c->txn, TABLE_SERVICE_ORDER, &cursor);
	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, key_span(&prefix), &key, &value);
	while (st == GAZ_OK && key.len > prefix.len + 8 &&
	       memcmp(key.data, prefix.data, prefix.len) == 0) {
		struct span id = {key.data + prefix.len + 8, key.len - prefix.len - 8};
		const char *service_id = check_text(c, id);
		struct tally of_service = {0};

		st = service_id ? load_tally(c, 's', service_id, &of_service, NULL)
				: GAZ_ENOMEM;
		sum.children++;
		sum.instances += of_service.children;
		sum.pending += of_service.pending;
		if (st == GAZ_OK)
			st = store_cursor_next(cursor, &key, &value);
	}
	store_cursor_close(&cursor);
	if (st != GAZ_OK && st != GAZ_ENOTFOUND)
		return st;
	compare_count(c, TABLE_NAMESPACE, ns->id, "services", sum.children,
		      tally.children);
	compare_count(c, TABLE_NAMESPACE, ns->id, "instances", sum.instances,
		      tally.instances);
	compare_count(c, TABLE_NAMESPACE, ns->id, "pending registrations", sum.pending,
		      tally.pending);
	return GAZ_OK;
}

/* Its region and account count it. */
static gaz_status check_partition(struct check *c, const struct namespace_record *ns)
{
	const char *id = call_partition_id(&c->call);
	struct tally tally;
	bool is_there = false;
	gaz_status st = id ? load_tally(c, 'p', id, &tally, &is_there) : GAZ_ENOMEM;

	if (st == GAZ_OK && !is_there)
		check_fault(c, TABLE_NAMESPACE, id_span(ns->id),
			    "its region and account have no tally");
	return st;
}

gaz_status check_namespace_entry(struct check *c, struct span key, struct span value)
{
	struct check_link links[CHECK_LINKS_MAX];
	struct namespace_record ns;
	const char *id = check_text(c, key);
	size_t count;
	gaz_status st = id ? check_load_namespace(c, id, &ns) : GAZ_ENOMEM;

	(void)value;
	if (st == GAZ_ESTORE || st == GAZ_ENOTFOUND) {
		check_fault(c, TABLE_NAMESPACE, key, "its value cannot be read");
		return GAZ_OK;
	}
	if (st != GAZ_OK)
		return st;
	check_namespace_members(c, &ns);
	st = list_namespace_links(c, &ns, links, &count);
	if (st == GAZ_OK)
		st = check_links(c, TABLE_NAMESPACE, key, links, count);
	if (st == GAZ_OK)
		st = check_namespace_tally(c, &ns);
	return st == GAZ_OK ? check_partition(c, &ns) : st;
}

/* ---- services ---- */

gaz_status check_load_service(struct check *c, const char *id, struct service_record *out)
{
	struct span value;
	gaz_status st = check_find(c, TABLE_SERVICE, id, &value);

	if (st != GAZ_OK)
		return st;
	*out = (struct service_record){0};
	st = schema_get_service(value, &c->arena, out);
	out->id = id;
	if (st == GAZ_OK &&
	    (!out->region || !out->account || !out->name || !out->namespace_id ||
	     !out->creator_request_id || !out->request_digest))
		st = GAZ_ESTORE;
	return st;
}

static gaz_status list_service_links(struct check *c, const struct service_record *svc,
				     struct check_link links[CHECK_LINKS_MAX],
				     size_t *count)
{
	struct key order[SERVICE_ORDER_KEYS] = {0};
	struct namespace_record ns;
	struct key name = {0};
	gaz_status st;

	*count = 0;
	c->call.region = svc->region;
	c->call.account = svc->account;
	service_make_order_keys(&c->call, svc, order);
	for (size_t i = 0; i < SERVICE_ORDER_KEYS; i++)
		add_link(links, count, TABLE_SERVICE_ORDER, &order[i], NULL);
	/* The kind of the namespace says how names are compared. */
	st = check_load_namespace(c, svc->namespace_id, &ns);
	if (st == GAZ_ENOTFOUND || st == GAZ_ESTORE)
		return GAZ_OK;
	if (st == GAZ_OK)
		st = service_name_key(&c->call, &ns, svc->name, &name);
	add_link(links, count, TABLE_NAME, &name, svc->id);
	return st;
}

gaz_status check_service_links(struct check *c, const char *id,
			       struct check_link links[CHECK_LINKS_MAX],
			       size_t *count_out)
{
	struct service_record svc;
	gaz_status st = check_load_service(c, id, &svc);

	*count_out = 0;
	if (st == GAZ_ENOTFOUND || st == GAZ_ESTORE)
		return GAZ_OK;
	return st == GAZ_OK ? list_service_links(c, &svc, links, count_out) : st;
}

static bool has_known_config(const struct service_record *svc)
{
	bool has_dns = svc->dns_record_count > 0;

	for (size_t i = 0; i < svc->dns_record_count; i++) {
		if (svc->dns_records[i].type < RECORD_SRV ||
		    svc->dns_records[i].type > RECORD_CNAME)
			return false;
	}
	if (has_dns && svc->routing_policy != ROUTING_MULTIVALUE &&
	    svc->routing_policy != ROUTING_WEIGHTED)
		return false;
	return svc->type == (has_dns ? SERVICE_DNS_HTTP : SERVICE_HTTP) &&
	       svc->health_check <= HEALTH_CHECK_TCP &&
	       (svc->health_check != HEALTH_CHECK_HTTP || svc->resource_path);
}

static gaz_status check_service_place(struct check *c, const struct service_record *svc)
{
	struct span key = id_span(svc->id);
	struct namespace_record ns;
	gaz_status st = check_load_namespace(c, svc->namespace_id, &ns);

	if (st == GAZ_ENOTFOUND) {
		check_fault(c, TABLE_SERVICE, key, "its namespace does not exist");
		return GAZ_OK;
	}
	if (st != GAZ_OK)
		return st == GAZ_ESTORE ? GAZ_OK : st;
	if (strcmp(ns.region, svc->region) != 0 || strcmp(ns.account, svc->account) != 0)
		check_fault(c, TABLE_SERVICE, key,
			    "its namespace is of another region or account");
	if (ns.type == NAMESPACE_HTTP && svc->dns_record_count > 0)
		check_fault(c, TABLE_SERVICE, key,
			    "it has DNS records in an HTTP namespace");
	return GAZ_OK;
}

static gaz_status check_service_tally(struct check *c, const struct service_record *svc)
{
	struct key prefix = {0};
	struct tally tally;
	struct key of_young = {0};
	bool is_there;
	size_t count = 0;
	size_t young = 0;
	gaz_status st = load_tally(c, 's', svc->id, &tally, &is_there);

	key_put_text(&prefix, svc->id);
	if (st == GAZ_OK)
		st = check_count_below(c, TABLE_INSTANCE, &prefix, &count);
	key_put(&of_young, "s", 1);
	key_put_text(&of_young, svc->id);
	if (st == GAZ_OK)
		st = check_count_below(c, TABLE_TALLY, &of_young, &young);
	if (st != GAZ_OK)
		return st;
	if (!is_there || tally.revision < 1)
		check_fault(c, TABLE_SERVICE, id_span(svc->id),
			    "it has no revision: they begin with 1");
	compare_count(c, TABLE_SERVICE, svc->id, "instances", count + young,
		      tally.children);
	compare_count(c, TABLE_SERVICE, svc->id, "pending registrations",
		      check_held(c, 's', svc->id), tally.pending);
	return GAZ_OK;
}

gaz_status check_service_entry(struct check *c, struct span key, struct span value)
{
	struct check_link links[CHECK_LINKS_MAX];
	struct service_record svc;
	const char *id = check_text(c, key);
	size_t count;
	gaz_status st = id ? check_load_service(c, id, &svc) : GAZ_ENOMEM;

	(void)value;
	if (st == GAZ_ESTORE || st == GAZ_ENOTFOUND) {
		check_fault(c, TABLE_SERVICE, key, "its value cannot be read");
		return GAZ_OK;
	}
	if (st != GAZ_OK)
		return st;
	if (!check_is_id(key, "srv-"))
		check_fault(c, TABLE_SERVICE, key, "that is not a service's id");
	if (!has_known_config(&svc))
		check_fault(c, TABLE_SERVICE, key, "its configuration is not possible");
	st = list_service_links(c, &svc, links, &count);
	if (st == GAZ_OK)
		st = check_links(c, TABLE_SERVICE, key, links, count);
	if (st == GAZ_OK)
		st = check_service_place(c, &svc);
	return st == GAZ_OK ? check_service_tally(c, &svc) : st;
}
