/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/id.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum {
	RANDOM_CHARS = 16, /* for ID_RANDOM_LEN octets */
};

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

/* So many characters, which are whole octets. */
static gaz_status read_base32(const char *in, size_t chars, uint8_t *out)
{
	unsigned bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < chars; i++) {
		if (in[i] >= 'a' && in[i] <= 'z')
			bits = bits << 5 | (unsigned)(in[i] - 'a');
		else if (in[i] >= '2' && in[i] <= '7')
			bits = bits << 5 | (unsigned)(in[i] - '2' + 26);
		else
			return GAZ_EFORMAT;
		count += 5;
		if (count >= 8) {
			count -= 8;
			*out++ = (uint8_t)(bits >> count);
		}
	}
	return GAZ_OK;
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
	uint8_t random[ID_RANDOM_LEN];

	if (rng_secret(random, sizeof random) != GAZ_OK)
		return GAZ_EIO;
	id_resource_of(prefix, random, out);
	return GAZ_OK;
}

gaz_status id_resource_bits(const char *prefix, const char *id,
			    uint8_t out[ID_RANDOM_LEN])
{
	size_t len = strlen(prefix);

	if (strlen(id) != len + RANDOM_CHARS || memcmp(id, prefix, len) != 0)
		return GAZ_EFORMAT;
	return read_base32(id + len, RANDOM_CHARS, out);
}

void id_resource_of(const char *prefix, const uint8_t bits[ID_RANDOM_LEN],
		    char out[ID_RESOURCE_SIZE])
{
	size_t len = strnlen(prefix, ID_RESOURCE_SIZE - RANDOM_CHARS - 1);

	memcpy(out, prefix, len);
	put_base32(bits, RANDOM_CHARS, out + len);
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

void id_operation_at(const char target[ID_TARGET_CHARS], int64_t submit_ms,
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
	memmove(out, target, ID_TARGET_CHARS);
	out[ID_TARGET_CHARS] = '-';
	memcpy(out + ID_TARGET_CHARS + 1, digits + at, sizeof digits - at);
}

void id_operation(const uint8_t target[ID_TARGET_LEN], int64_t submit_ms,
		  char out[ID_OPERATION_SIZE])
{
	put_base32(target, ID_TARGET_CHARS, out);
	id_operation_at(out, submit_ms, out);
}

gaz_status id_operation_time(const char *id, int64_t *submit_ms_out)
{
	char again[ID_OPERATION_SIZE];

	if (strlen(id) >= ID_OPERATION_SIZE || strlen(id) <= ID_TARGET_CHARS + 1)
		return GAZ_EFORMAT;
	*submit_ms_out = strtoll(id + ID_TARGET_CHARS + 1, NULL, 36);
	/* Each time has one way to be written. */
	id_operation_at(id, *submit_ms_out, again);
	return strcmp(id, again) == 0 ? GAZ_OK : GAZ_EFORMAT;
}

gaz_status id_operation_target(const char *id, uint8_t out[ID_TARGET_LEN])
{
	return strlen(id) >= ID_TARGET_CHARS ? read_base32(id, ID_TARGET_CHARS, out)
					     : GAZ_EFORMAT;
}
