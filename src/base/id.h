/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Identifiers in the forms that AWS Cloud Map uses. */

enum {
	ID_UUID_SIZE = 37,	/* with the NUL, as all of these */
	ID_RESOURCE_SIZE = 24,	/* "ns-" or "srv-" and 16 characters of [a-z2-7] */
	ID_ZONE_SIZE = 22,	/* "Z" and 20 characters of [A-Z0-9] */
	ID_OPERATION_SIZE = 48, /* 32 characters of [a-z2-7], "-", base-36 time */
	ID_TARGET_CHARS = 32,	/* that many of them stand for the target, */
	ID_TARGET_LEN = 20,	/* which is that many octets */
	ID_RANDOM_LEN = 10,	/* octets in the name of a resource */
	ID_SUFFIX_SIZE = 9,	/* 8 characters of [a-z2-7] */
	ID_DIGEST_LEN = 32,
};

/** A random UUID, version 4, lower-case. */
GAZ_MUST_CHECK gaz_status id_uuid(char out[ID_UUID_SIZE]);

/** `prefix` ("ns-", "srv-") and 80 random bits in base32. */
GAZ_MUST_CHECK gaz_status id_resource(const char *prefix, char out[ID_RESOURCE_SIZE]);

/** The bits in such an id. @return GAZ_OK, GAZ_EFORMAT: it is none with that prefix. */
GAZ_MUST_CHECK gaz_status id_resource_bits(const char *prefix, const char *id,
					   uint8_t out[ID_RANDOM_LEN]);

/** The id with these bits. The prefix has four characters at most. */
void id_resource_of(const char *prefix, const uint8_t bits[ID_RANDOM_LEN],
		    char out[ID_RESOURCE_SIZE]);

/** A Route 53 hosted zone id. */
GAZ_MUST_CHECK gaz_status id_hosted_zone(char out[ID_ZONE_SIZE]);

/** Eight random characters of [a-z2-7]. */
GAZ_MUST_CHECK gaz_status id_suffix(char out[ID_SUFFIX_SIZE]);

/**
 * An operation id: the base32 of the digest of what the operation locks, as far as it
 * goes, then the submit time in base 36. Operations on one target thus share their
 * first 32 characters, as on AWS.
 */
void id_operation(const uint8_t target[ID_TARGET_LEN], int64_t submit_ms,
		  char out[ID_OPERATION_SIZE]);

/** The id of an operation on the same target, submitted at another time. */
void id_operation_at(const char target[ID_TARGET_CHARS], int64_t submit_ms,
		     char out[ID_OPERATION_SIZE]);

/** The submit time in an operation id. @return GAZ_OK, GAZ_EFORMAT: it is none. */
GAZ_MUST_CHECK gaz_status id_operation_time(const char *id, int64_t *submit_ms_out);

/** The target in one. @return GAZ_OK, GAZ_EFORMAT: it is none. */
GAZ_MUST_CHECK gaz_status id_operation_target(const char *id, uint8_t out[ID_TARGET_LEN]);

/** SHA-256. */
GAZ_MUST_CHECK gaz_status id_digest(const void *data, size_t len,
				    uint8_t out[ID_DIGEST_LEN]);
