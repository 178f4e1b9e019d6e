/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns/wire.h"
#include "zone/masterdata.h"
#include "zone/zonedb-internal.h"
#include "zone/zonelist.h"

/* A zone as a master file. */

enum {
	BUFFER_SIZE = 256 * 1024,
};

struct writing {
	int fd;
	gaz_status status;
	const struct zone *zone;
	const struct apex *apex;
	const char *id;
	const struct node **nodes; /* without the apex */
	size_t count;
	size_t cap;
	char owner[DNAME_TEXT_SIZE];
	size_t len;
	char buffer[BUFFER_SIZE];
};

/* ---- the file ---- */

static void drain(struct writing *w)
{
	size_t done = 0;

	while (w->status == GAZ_OK && done < w->len) {
		ssize_t n = write(w->fd, w->buffer + done, w->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			w->status = GAZ_EIO;
	}
	w->len = 0;
}

static void put(struct writing *w, const char *text, size_t len)
{
	while (len > 0) {
		size_t part = sizeof w->buffer - w->len;

		if (part == 0) {
			drain(w);
			continue;
		}
		part = part < len ? part : len;
		memcpy(w->buffer + w->len, text, part);
		w->len += part;
		text += part;
		len -= part;
	}
}

static void put_text(struct writing *w, const char *text)
{
	put(w, text, strlen(text));
}

/* ---- records ---- */

static void put_record(struct writing *w, const char *prefix, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, size_t len)
{
	char head[64];
	char type_name[MASTERDATA_TYPE_SIZE];
	char *data = NULL;

	masterdata_print_type(type, type_name);
	(void)snprintf(head, sizeof head, "\t%u\tIN\t%s\t", ttl, type_name);
	if (masterdata_print(type, rdata, len, &data) != GAZ_OK) {
		w->status = GAZ_ENOMEM;
		return;
	}
	put_text(w, prefix);
	put_text(w, w->owner);
	put_text(w, head);
	put_text(w, data);
	put_text(w, "\n");
	free(data);
}

static void put_alias(struct writing *w, const struct rrset *set, const uint8_t *target)
{
	char name[DNAME_TEXT_SIZE];

	put_text(w, "; alias: ");
	put_text(w, w->owner);
	put_text(w, set->type == RRSET_ALIAS_A ? " A of " : " AAAA of ");
	put_text(w, dname_to_text(target, name));
	put_text(w, "\n");
}

static void put_set(struct writing *w, const struct rrset *set)
{
	uint32_t shown = set->healthy ? set->healthy : set->distinct;

	for (uint32_t i = 0; w->status == GAZ_OK && i < set->distinct; i++) {
		const char *prefix = "";
		uint32_t len;
		const uint8_t *record = rrset_record(set, i, &len);

		if (i >= shown)
			prefix = "; unhealthy: ";
		else if (i > 0 && set->type == DNS_TYPE_CNAME)
			prefix = "; one of several: ";
		if (set->type == RRSET_ALIAS_A || set->type == RRSET_ALIAS_AAAA)
			put_alias(w, set, record + RRSET_RDATA_AT);
		else
			put_record(w, prefix, set->type, wire_get_u32(record + 6),
				   record + RRSET_RDATA_AT, len - RRSET_RDATA_AT);
	}
}

static void put_node(struct writing *w, const struct node *node)
{
	const struct rrset *set = node_first_rrset(node);
	const struct rrset *soa = node_find_rrset(node, DNS_TYPE_SOA);
	uint8_t name[DNAME_MAX];

	memcpy(name, node->name, node->name_len);
	memcpy(name + node->name_len, w->apex->wire, w->apex->len);
	(void)dname_to_text(name, w->owner);
	if (soa)
		put_set(w, soa);
	for (unsigned i = 0; i < node->rrset_count; i++, set = rrset_next(set)) {
		if (set->type != NODE_NEGATIVE_SOA && set != soa)
			put_set(w, set);
	}
}

/* ---- the names ---- */

static unsigned take_apart(const struct node *node, uint8_t offsets[DNAME_MAX_LABELS])
{
	unsigned count = 0;

	for (unsigned at = 0; at < node->name_len; at += 1u + node->name[at])
		offsets[count++] = (uint8_t)at;
	return count;
}

/* Canonical order: label by label from the right. */
static int by_name(const void *left, const void *right)
{
	const struct node *a = *(const struct node *const *)left;
	const struct node *b = *(const struct node *const *)right;
	uint8_t a_at[DNAME_MAX_LABELS];
	uint8_t b_at[DNAME_MAX_LABELS];
	unsigned a_count = take_apart(a, a_at);
	unsigned b_count = take_apart(b, b_at);

	while (a_count > 0 && b_count > 0) {
		const uint8_t *x = a->name + a_at[--a_count];
		const uint8_t *y = b->name + b_at[--b_count];
		int order = memcmp(x + 1, y + 1, *x < *y ? *x : *y);

		if (order == 0)
			order = (int)*x - (int)*y;
		if (order != 0)
			return order;
	}
	return (int)a_count - (int)b_count;
}

static void gather_node(void *entry, void *arg)
{
	struct writing *w = arg;
	const struct node *node = entry;

	if (node->zone == w->zone && w->count < w->cap)
		w->nodes[w->count++] = node;
}

static void find_zone(void *entry, void *arg)
{
	struct writing *w = arg;
	const struct apex *apex = entry;
	const struct zone *zone = atomic_load(&apex->zones);

	for (; zone; zone = atomic_load(&zone->next)) {
		if (strcmp(zone->id, w->id) == 0) {
			w->zone = zone;
			w->apex = apex;
		}
	}
}

/* What the zone is at one moment: nothing is published while this looks. Then the RCU
 * read lock keeps it, which is taken first of all that can be waited for. */
static const struct node *take_snapshot(struct zonedb *db, struct writing *w)
{
	const struct node *apex = NULL;

	pthread_mutex_lock(&db->publishing);
	rcu_read_lock();
	nametable_read(&db->apexes, find_zone, w);
	if (w->zone) {
		apex = atomic_load(&w->zone->apex_node);
		w->cap = atomic_load(&w->zone->nodes);
		w->nodes = calloc(w->cap + 1, sizeof(struct node *));
		if (w->nodes)
			nametable_read(&db->nodes, gather_node, w);
		else
			w->status = GAZ_ENOMEM;
	}
	pthread_mutex_unlock(&db->publishing);
	return apex;
}

gaz_status zonelist_write(struct zonedb *db, const char *id, int fd)
{
	struct writing *w = malloc(sizeof *w);
	const struct node *apex;
	gaz_status st;

	if (!w)
		return GAZ_ENOMEM;
	memset(w, 0, offsetof(struct writing, owner));
	w->fd = fd;
	w->id = id;
	w->len = 0;
	zonedb_enter_thread();
	apex = take_snapshot(db, w);
	if (!apex && w->status == GAZ_OK)
		w->status = GAZ_ENOTFOUND;
	if (w->status == GAZ_OK) {
		qsort(w->nodes, w->count, sizeof(struct node *), by_name);
		put_node(w, apex);
	}
	for (size_t i = 0; w->status == GAZ_OK && i < w->count; i++)
		put_node(w, w->nodes[i]);
	rcu_read_unlock();
	zonedb_leave_thread();
	drain(w);
	st = w->status;
	free(w->nodes);
	free(w);
	return st;
}
