/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/id.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* RFC 4648 base32 in lower case, without padding. */
static void put_base32(const uint8_t *in, size_t chars, char *out)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

	for (size_t i = 0; i < chars; i++) {
		size_t bit = i * 5;
		unsigned pair = (unsigned)in[bit / 8] << 8;

		if (bit % 8 > 3)
			pair |= in[bit / 8 + 1];
		out[i] = alphabet[(pair >> (11 - bit % 8)) & 31];
	}
	out[chars] = '\0';
}

gaz_status id_uuid(char out[ID_UUID_SIZE])
{
	uint8_t b[16];

	if (rng_secret(b, sizeof b) != GAZ_OK)
		return GAZ_EIO;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	/* By hand: each reply has one, and snprintf() would take longer than the rest. */
	for (size_t i = 0; i < sizeof b; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = "0123456789abcdef"[b[i] >> 4];
		*out++ = "0123456789abcdef"[b[i] & 15];
	}
	*out = '\0';
	return GAZ_OK;
}

gaz_status id_resource(const char *prefix, char out[ID_RESOURCE_SIZE])
{
	uint8_t random[10];
	size_t len = strlen(prefix);

	if (len + 16 >= ID_RESOURCE_SIZE)
		return GAZ_ELIMIT;
	if (rng_secret(random, sizeof random) != GAZ_OK)
		return GAZ_EIO;
	memcpy(out, prefix, len);
	put_base32(random, 16, out + len);
	return GAZ_OK;
}

gaz_status id_hosted_zone(char out[ID_ZONE_SIZE])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint64_t random[2];
	size_t at = 0;

	if (rng_secret(random, sizeof random) != GAZ_OK)
		return GAZ_EIO;
	out[at++] = 'Z';
	for (int half = 0; half < 2; half++) {
		for (int i = 0; i < 10; i++, random[half] /= 36)
			out[at++] = alphabet[random[half] % 36];
	}
	out[at] = '\0';
	return GAZ_OK;
}

gaz_status id_suffix(char out[ID_SUFFIX_SIZE])
{
	uint8_t random[5];

	if (rng_secret(random, sizeof random) != GAZ_OK)
		return GAZ_EIO;
	put_base32(random, 8, out);
	return GAZ_OK;
}

static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void fetch_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

gaz_status id_digest(const void *data, size_t len, uint8_t out[ID_DIGEST_LEN])
{
	/* Fetched for each digest, the algorithm would cost more than its work. */
	pthread_once(&sha256_once, fetch_sha256);
	return sha256 && EVP_Digest(data, len, out, NULL, sha256, NULL) ? GAZ_OK
									: GAZ_ENOMEM;
}

void id_operation_at(const char target[ID_TARGET_LEN], int64_t submit_ms,
		     char out[ID_OPERATION_SIZE])
{
	char digits[14];
	size_t at = sizeof digits;
	uint64_t left = submit_ms > 0 ? (uint64_t)submit_ms : 0;

	digits[--at] = '\0';
	do {
		digits[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[left % 36];
		left /= 36;
	} while (left > 0);
	memmove(out, target, ID_TARGET_LEN);
	out[ID_TARGET_LEN] = '-';
	memcpy(out + ID_TARGET_LEN + 1, digits + at, sizeof digits - at);
}

void id_operation(const uint8_t target[ID_DIGEST_LEN], int64_t submit_ms,
		  char out[ID_OPERATION_SIZE])
{
	put_base32(target, ID_TARGET_LEN, out);
	id_operation_at(out, submit_ms, out);
}

gaz_status id_operation_time(const char *id, int64_t *submit_ms_out)
{
	char again[ID_OPERATION_SIZE];

	if (strlen(id) >= ID_OPERATION_SIZE || strlen(id) <= ID_TARGET_LEN + 1)
		return GAZ_EFORMAT;
	*submit_ms_out = strtoll(id + ID_TARGET_LEN + 1, NULL, 36);
	/* Each time has one way to be written. */
	id_operation_at(id, *submit_ms_out, again);
	return strcmp(id, again) == 0 ? GAZ_OK : GAZ_EFORMAT;
}
