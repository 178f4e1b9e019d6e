/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/id.h"
#include "registry/instance.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/service.h"

/* What is in the store: the tables, the layout of their keys, and the coding
 * of their values. P stands for region NUL account NUL.
 *
 * Changing a layout: raise SCHEMA_FORMAT, keep decoding the old version byte
 * of the value, and add a test that opens a store of the old format. */

enum {
	SCHEMA_FORMAT = 3,
	SCHEMA_FORMAT_OLDEST = 1, /* readable; nothing lay beside tallies then */
};

enum schema_table {
	TABLE_NAMESPACE = 0,	  /* namespace id -> namespace */
	TABLE_NAMESPACE_ORDER,	  /* P, create time, namespace id -> nothing */
	TABLE_SERVICE,		  /* service id -> service, without its tally */
	TABLE_SERVICE_ORDER,	  /* scope, create time, service id -> nothing; scope: */
				  /* 'p' P, 'n' namespace id NUL */
	TABLE_SERVICE_ATTRIBUTES, /* service id -> its attributes */
	TABLE_INSTANCE,		  /* service id NUL instance id -> instance, not young */
	TABLE_NAME,  /* digest of a unique name (call_name_key) -> resource id */
	TABLE_TALLY, /* 's' service id -> tally; */
	/* 's' service id NUL instance id -> young instance (instance_store.h); */
	/* 's' service id 1 -> key of the operation submitted last in the service */
	TABLE_UPPER_TALLY, /* 'n' namespace id, 'p' P -> tally; with 1 behind it the key */
	/* of the operation submitted last there. Every registration changes them, whatever */
	/* its service: so they are no part of the large table, of which a commit would */
	/* write a second path. Until format 3 they were. */
	TABLE_TAG,	      /* namespace or service id -> all its tags */
	TABLE_OPERATION,      /* submit time, part of the target in its id -> operation */
	TABLE_OPERATION_LAST, /* the same by scope alone, from stores of the first format */
	TABLE_LOCK,    /* digest of what a pending operation locks -> its id, its call */
	TABLE_PENDING, /* due time, operation id -> locks and intent */
	TABLE_HEALTH_DUE, /* due time, service id NUL instance id -> region, account */
	TABLE_VPC,	  /* VPC id -> its prefixes */
	TABLE_COUNT
};

extern const char *const schema_table_names[TABLE_COUNT];

/* A key under construction. Too long a key becomes one that nothing has. */
struct key {
	uint8_t data[511];
	size_t len;
	bool overflow;
};

void key_put(struct key *key, const void *data, size_t len);
void key_put_text(struct key *key, const char *text); /* with its NUL */
void key_put_u64(struct key *key, uint64_t v);
void key_put_time(struct key *key, int64_t ms, const char *id, size_t len);
int64_t key_time_ms(const struct key *key); /* of a key that begins with a time */
struct span key_span(const struct key *key);

/** The key of a new operation. Another one may have it, since of the target it has a
 *  part alone. @return GAZ_OK, GAZ_ENOTFOUND (that is no operation's id: the key stays
 *  as it is). */
gaz_status schema_operation_key(const char *id, struct key *out);

/** The key of the operation if it is wide. @return as schema_operation_key() */
gaz_status schema_operation_wide_key(const char *id, struct key *out);

/** What the keys of all operations begin with that were submitted at a time. */
void schema_operation_keys_at(int64_t submit_ms, bool wide, struct key *out);

/** The submit time in a key. @return GAZ_OK, GAZ_ESTORE (that is none). */
GAZ_MUST_CHECK gaz_status schema_operation_time(struct span key, int64_t *submit_ms_out);

/* Counters of one container. */
struct tally {
	uint32_t children;  /* namespaces, services or instances in it */
	uint32_t instances; /* of a namespace: over all its services */
	uint32_t pending;   /* registrations under way */
	uint64_t revision;  /* of a service: InstancesRevision; of a namespace: how */
			    /* often the records of its zone have changed */
};

struct instance_record {
	const char *id;
	const char *creator_request_id;
	bool healthy;	       /* by custom status or check; true where there is none */
	int64_t health_due_ms; /* when the status turns into the other; 0: it stays */
	struct pair_list attributes;
};

enum {
	OPERATION_KEY_LEN = 10,
	OPERATION_KEY_MAX = 8 + ID_TARGET_CHARS, /* of a wide one */
	OPERATION_SCOPES = 3,
	OPERATION_TOKEN_LEN = 16,
};

/* The key of an operation, or nothing. */
struct operation_link {
	uint8_t len; /* 0: nothing */
	uint8_t key[OPERATION_KEY_MAX];
};

void operation_link_set(struct operation_link *link, struct span key);
struct span operation_link_span(const struct operation_link *link);

/* What the API does not show of an operation. */
struct operation_extra {
	const char *call_name; /* "RegisterInstance" */
	const char *region;
	const char *scope_namespace; /* the namespace it works in */
	int64_t due_ms;		     /* when it ends, or ended */
	bool has_token;
	/* The beginning of the digest of call, token and parameters. */
	uint8_t token[OPERATION_TOKEN_LEN];
	struct operation_link key; /* under which it is stored */
	/* The operations before it in its partition, namespace and service: lists
	 * follow these links, so that an operation is written in one place, behind
	 * all others, and not in the midst of an index for each list. */
	struct operation_link before[OPERATION_SCOPES];
};

void schema_put_namespace(struct bytes *b, const struct namespace_record *ns);
void schema_put_service(struct bytes *b, const struct service_record *svc);
void schema_put_instance(struct bytes *b, const struct instance_record *inst);
void schema_put_operation(struct bytes *b, const struct operation_record *op,
			  const struct operation_extra *extra);
void schema_put_tally(struct bytes *b, const struct tally *tally);
void schema_put_pairs(struct bytes *b, const struct pair_list *pairs);

/* Each fills a record whose strings live in the arena. The id, but that of an operation,
 * and the tally's figures are the caller's to fill in.
 * @return GAZ_OK, GAZ_ESTORE (damaged value), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status schema_get_namespace(struct span value, struct arena *arena,
					       struct namespace_record *out);
GAZ_MUST_CHECK gaz_status schema_get_service(struct span value, struct arena *arena,
					     struct service_record *out);
GAZ_MUST_CHECK gaz_status schema_get_instance(struct span value, struct arena *arena,
					      struct instance_record *out);
/** GAZ_ESTORE also where a type, status or time is none that there can be. */
GAZ_MUST_CHECK gaz_status schema_get_operation(struct span key, struct span value,
					       struct arena *arena,
					       struct operation_record *out,
					       struct operation_extra *extra);
/** Without the id, for the sweep, which takes away as many as come. */
GAZ_MUST_CHECK gaz_status schema_get_nameless_operation(struct span key,
							struct span value,
							struct arena *arena,
							struct operation_record *out,
							struct operation_extra *extra);
/** Only links and token. @return GAZ_OK, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status schema_get_operation_head(struct span value,
						    struct operation_extra *out);
/** Only the id. @return GAZ_OK, GAZ_ESTORE, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status schema_get_operation_id(struct span key, struct span value,
						  struct arena *arena, const char **out);
GAZ_MUST_CHECK gaz_status schema_get_tally(struct span value, struct tally *out);
/** Reads on from where the reader is. */
void schema_read_pairs(struct reader *r, struct arena *arena, struct pair_list *out);
