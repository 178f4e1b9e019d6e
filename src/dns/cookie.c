/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/cookie.h"

#include <string.h>
#include <sys/socket.h>

#include "base/rng.h"
#include "dns/wire.h"

enum {
	VERSION = 1,
	VERSION_AT = COOKIE_CLIENT_LEN,
	TIME_AT = VERSION_AT + 4,
	HASH_AT = TIME_AT + 4,
	AGE_MAX_S = 3600,
	AHEAD_MAX_S = 300,
	DAY_S = 86400, /* far longer than a cookie's age: two secrets are enough */
};

gaz_status cookie_secrets_random(struct cookie_secrets *out)
{
	uint8_t bytes[SIPHASH_KEY_LEN];

	if (rng_secret(bytes, sizeof bytes) != GAZ_OK)
		return GAZ_EIO;
	memset(out, 0, sizeof *out);
	out->keys[0] = siphash_key_read(bytes);
	out->count = 1;
	out->rotates = true;
	return GAZ_OK;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20; /* lower case */
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

gaz_status cookie_secrets_add(struct cookie_secrets *secrets, const char *hex, size_t len)
{
	uint8_t bytes[SIPHASH_KEY_LEN] = {0};

	if (len != 2 * sizeof bytes)
		return GAZ_EFORMAT;
	for (size_t i = 0; i < len; i++) {
		int value = hex_value(hex[i]);

		if (value < 0)
			return GAZ_EFORMAT;
		bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | value);
	}
	if (secrets->count == COOKIE_SECRETS_MAX)
		return GAZ_ELIMIT;
	secrets->keys[secrets->count++] = siphash_key_read(bytes);
	return GAZ_OK;
}

static struct siphash_key key_of_day(const struct siphash_key *source, uint32_t day)
{
	uint8_t message[5];
	struct siphash_key key;

	wire_put_u32(message, day);
	for (uint8_t i = 0; i < 2; i++) {
		message[4] = i;
		key.k[i] = siphash24(source, message, sizeof message);
	}
	return key;
}

void cookie_set_time(struct cookie_jar *jar, uint32_t now_s)
{
	uint32_t day = now_s / DAY_S;

	jar->now_s = now_s;
	if (!jar->secrets || !jar->secrets->rotates || jar->day == day)
		return;
	jar->day = day;
	jar->keys[0] = key_of_day(&jar->secrets->keys[0], day);
	jar->keys[1] = key_of_day(&jar->secrets->keys[0], day - 1);
}

/* The hash of a cookie, whose octets before the hash are in place. */
static void hash_cookie(const struct siphash_key *key, const struct netaddr *source,
			const uint8_t *cookie, uint8_t out[8])
{
	uint8_t message[HASH_AT + sizeof source->bytes];
	size_t address_len = source->family == AF_INET ? 4 : 16;
	uint64_t hash;

	memcpy(message, cookie, HASH_AT);
	memcpy(message + HASH_AT, source->bytes, address_len);
	hash = siphash24(key, message, HASH_AT + address_len);
	for (int i = 0; i < 8; i++, hash >>= 8)
		out[i] = (uint8_t)hash;
}

static const struct siphash_key *keys_of(const struct cookie_jar *jar,
					 unsigned *count_out)
{
	*count_out = jar->secrets->rotates ? 2 : jar->secrets->count;
	return jar->secrets->rotates ? jar->keys : jar->secrets->keys;
}

void cookie_make(const struct cookie_jar *jar, const struct netaddr *source,
		 const uint8_t client[COOKIE_CLIENT_LEN], uint8_t out[COOKIE_LEN])
{
	unsigned count;

	memmove(out, client, COOKIE_CLIENT_LEN);
	wire_put_u32(out + VERSION_AT, (uint32_t)VERSION << 24);
	wire_put_u32(out + TIME_AT, jar->now_s);
	hash_cookie(keys_of(jar, &count), source, out, out + HASH_AT);
}

/* In time that no attacker can tell right octets from wrong ones by. */
static bool is_same_hash(const uint8_t a[8], const uint8_t b[8])
{
	unsigned differ = 0;

	for (int i = 0; i < 8; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

bool cookie_is_valid(const struct cookie_jar *jar, const struct netaddr *source,
		     const uint8_t *cookie, size_t len)
{
	const struct siphash_key *keys;
	unsigned count;
	int32_t age;

	if (!jar->secrets || len != COOKIE_LEN || cookie[VERSION_AT] != VERSION)
		return false;
	/* Serial numbers (RFC 1982): the time may wrap around. */
	age = (int32_t)(jar->now_s - wire_get_u32(cookie + TIME_AT));
	if (age > AGE_MAX_S || age < -AHEAD_MAX_S)
		return false;
	keys = keys_of(jar, &count);
	for (unsigned i = 0; i < count; i++) {
		uint8_t hash[8];

		hash_cookie(&keys[i], source, cookie, hash);
		if (is_same_hash(hash, cookie + HASH_AT))
			return true;
	}
	return false;
}
