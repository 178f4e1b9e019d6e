/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "api/error.h"
#include "base/bytes.h"
#include "base/id.h"

/* The layout of "Authorization", of the canonical request and of the string to
 * sign: AWS General Reference, "Signature Version 4 signing process". */

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SERVICE	  "servicediscovery"

enum {
	HEX_DIGEST_SIZE = 2 * ID_DIGEST_LEN + 1,
	ACCESS_KEY_MAX = 128,
	SIGNED_HEADER_NAME_MAX = 128,
	TIME_LEN = 16, /* 20200416T165100Z */
	DATE_LEN = 8,
};

/* A piece of a text. */
struct piece {
	const char *at;
	size_t len;
};

struct authorization {
	struct piece access_key_id;
	struct piece date;
	struct piece region;
	struct piece service;
	struct piece scope; /* date to "aws4_request" */
	struct piece signed_headers;
	struct piece signature;
};

static gaz_status refuse(struct sigv4_refusal *refusal, int error, const char *message)
{
	refusal->error = error;
	refusal->message = message;
	return GAZ_EREFUSED;
}

static bool piece_is(struct piece p, const char *text)
{
	return p.len == strlen(text) && memcmp(p.at, text, p.len) == 0;
}

static bool only(struct piece p, const char *alphabet)
{
	for (size_t i = 0; i < p.len; i++) {
		if (!p.at[i] || !strchr(alphabet, p.at[i]))
			return false;
	}
	return p.len > 0;
}

/* Parsing the header */

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t,");
}

/* "Name=value" up to a comma or a blank; true when `name` stands here. */
static bool take_field(const char **at, const char *name, struct piece *out)
{
	size_t name_len = strlen(name);

	if (strncmp(*at, name, name_len) != 0 || (*at)[name_len] != '=')
		return false;
	out->at = *at + name_len + 1;
	out->len = strcspn(out->at, ", \t");
	*at = skip_blanks(out->at + out->len);
	return true;
}

/* <access key id>/<date>/<region>/<service>/aws4_request */
static bool parse_credential(struct piece credential, struct authorization *out)
{
	struct piece parts[5];
	size_t count = 0;
	const char *start = credential.at;
	const char *end = credential.at + credential.len;

	for (const char *at = start; at <= end; at++) {
		if (at < end && *at != '/')
			continue;
		if (count == 5)
			return false;
		parts[count++] = (struct piece){start, (size_t)(at - start)};
		start = at + 1;
	}
	if (count != 5 || !piece_is(parts[4], "aws4_request"))
		return false;
	out->access_key_id = parts[0];
	out->date = parts[1];
	out->region = parts[2];
	out->service = parts[3];
	out->scope = (struct piece){parts[1].at, (size_t)(end - parts[1].at)};
	return out->access_key_id.len > 0 && out->access_key_id.len <= ACCESS_KEY_MAX &&
	       out->date.len == DATE_LEN && only(out->date, "0123456789") &&
	       out->region.len < SIGV4_REGION_SIZE &&
	       only(out->region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-");
}

/* True when there is a credential; has_signature() says whether the rest is there. */
static bool parse_authorization(const char *text, struct authorization *out)
{
	struct piece credential = {0};
	const size_t algorithm_len = strlen(ALGORITHM);

	memset(out, 0, sizeof *out);
	if (strncmp(text, ALGORITHM, algorithm_len) != 0 ||
	    strspn(text + algorithm_len, " \t") == 0)
		return false;
	for (const char *at = skip_blanks(text + algorithm_len); *at;) {
		if (!take_field(&at, "Credential", &credential) &&
		    !take_field(&at, "SignedHeaders", &out->signed_headers) &&
		    !take_field(&at, "Signature", &out->signature))
			return false;
	}
	return credential.at && parse_credential(credential, out);
}

static bool has_signature(const struct authorization *auth)
{
	return auth->signed_headers.len > 0 &&
	       auth->signature.len == HEX_DIGEST_SIZE - 1 &&
	       only(auth->signature, "0123456789abcdef");
}

/* Verification */

static void put_hex_digest(const uint8_t digest[ID_DIGEST_LEN], char out[HEX_DIGEST_SIZE])
{
	for (size_t i = 0; i < ID_DIGEST_LEN; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static gaz_status hex_sha256(const void *data, size_t len, char out[HEX_DIGEST_SIZE])
{
	uint8_t digest[ID_DIGEST_LEN];
	gaz_status st = id_digest(data, len, digest);

	if (st == GAZ_OK)
		put_hex_digest(digest, out);
	return st;
}

static bool hmac(const void *key, size_t key_len, const void *data, size_t len,
		 uint8_t out[ID_DIGEST_LEN])
{
	return HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) != NULL;
}

static void put_text(struct bytes *b, const char *text)
{
	bytes_put(b, text, strlen(text));
}

static gaz_status signing_key(const struct authorization *auth, const char *secret,
			      uint8_t key[ID_DIGEST_LEN])
{
	struct bytes first;
	bool done;

	bytes_init(&first);
	put_text(&first, "AWS4");
	put_text(&first, secret);
	done = !first.failed &&
	       hmac(first.data, first.len, auth->date.at, auth->date.len, key) &&
	       hmac(key, ID_DIGEST_LEN, auth->region.at, auth->region.len, key) &&
	       hmac(key, ID_DIGEST_LEN, auth->service.at, auth->service.len, key) &&
	       hmac(key, ID_DIGEST_LEN, "aws4_request", strlen("aws4_request"), key);
	OPENSSL_cleanse(first.data, first.len);
	bytes_fini(&first);
	return done ? GAZ_OK : GAZ_ENOMEM;
}

/* A value in canonical form: runs of blanks are one space, none at the ends. */
static void put_header_value(struct bytes *b, const char *value)
{
	const char *at = value + strspn(value, " \t");

	while (*at) {
		size_t word = strcspn(at, " \t");
		size_t blank = strspn(at + word, " \t");

		bytes_put(b, at, word);
		if (blank && at[word + blank])
			bytes_put_u8(b, ' ');
		at += word + blank;
	}
}

/* "name:value\n" of each signed header; false: one is not in the request. */
static bool put_signed_headers(struct bytes *b, const struct authorization *auth,
			       const struct sigv4_request *request)
{
	const char *at = auth->signed_headers.at;
	const char *end = at + auth->signed_headers.len;

	while (at < end) {
		char name[SIGNED_HEADER_NAME_MAX];
		const char *stop = memchr(at, ';', (size_t)(end - at));
		size_t len = (size_t)((stop ? stop : end) - at);
		const char *value;

		if (len == 0 || len >= sizeof name)
			return false;
		memcpy(name, at, len);
		name[len] = '\0';
		value = request->header(request->header_arg, name);
		if (!value)
			return false;
		put_text(b, name);
		put_text(b, ":");
		put_header_value(b, value);
		put_text(b, "\n");
		at += len + 1;
	}
	return true;
}

static gaz_status put_canonical_request(struct bytes *b, const struct authorization *auth,
					const struct sigv4_request *request)
{
	char payload[HEX_DIGEST_SIZE];
	size_t path = strcspn(request->uri, "?");
	gaz_status st = hex_sha256(request->body, request->body_len, payload);

	if (st != GAZ_OK)
		return st;
	put_text(b, request->method);
	put_text(b, "\n");
	bytes_put(b, path ? request->uri : "/", path ? path : 1);
	put_text(b, "\n");
	put_text(b, request->uri[path] ? request->uri + path + 1 : "");
	put_text(b, "\n");
	if (!put_signed_headers(b, auth, request))
		return GAZ_EREFUSED;
	put_text(b, "\n");
	bytes_put(b, auth->signed_headers.at, auth->signed_headers.len);
	put_text(b, "\n");
	put_text(b, payload);
	return b->failed ? GAZ_ENOMEM : GAZ_OK;
}

static gaz_status put_string_to_sign(struct bytes *b, const struct authorization *auth,
				     const char *amz_date, const struct bytes *canonical)
{
	char digest[HEX_DIGEST_SIZE];
	gaz_status st = hex_sha256(canonical->data, canonical->len, digest);

	if (st != GAZ_OK)
		return st;
	put_text(b, ALGORITHM "\n");
	put_text(b, amz_date);
	put_text(b, "\n");
	bytes_put(b, auth->scope.at, auth->scope.len);
	put_text(b, "\n");
	put_text(b, digest);
	return b->failed ? GAZ_ENOMEM : GAZ_OK;
}

static gaz_status compute_signature(const struct authorization *auth,
				    const struct sigv4_request *request,
				    const char *amz_date, const char *secret,
				    char out[HEX_DIGEST_SIZE])
{
	struct bytes canonical;
	struct bytes to_sign;
	uint8_t key[ID_DIGEST_LEN];
	uint8_t digest[ID_DIGEST_LEN];
	gaz_status st;

	bytes_init(&canonical);
	bytes_init(&to_sign);
	if ((st = put_canonical_request(&canonical, auth, request)) != GAZ_OK ||
	    (st = put_string_to_sign(&to_sign, auth, amz_date, &canonical)) != GAZ_OK ||
	    (st = signing_key(auth, secret, key)) != GAZ_OK)
		goto out;
	if (hmac(key, sizeof key, to_sign.data, to_sign.len, digest))
		put_hex_digest(digest, out);
	else
		st = GAZ_ENOMEM;
out:
	OPENSSL_cleanse(key, sizeof key);
	bytes_fini(&canonical);
	bytes_fini(&to_sign);
	return st;
}

/* True when the ';'-separated list names this header. */
static bool is_signed(struct piece list, const char *name)
{
	size_t name_len = strlen(name);
	const char *end = list.at + list.len;

	for (const char *at = list.at; at < end;) {
		const char *stop = memchr(at, ';', (size_t)(end - at));
		size_t len = (size_t)((stop ? stop : end) - at);

		if (len == name_len && memcmp(at, name, len) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

/* 20200416T165100Z */
static bool parse_amz_date(const char *text, int64_t *seconds_out)
{
	struct tm tm = {0};
	int used = 0;

	if (!text || strlen(text) != TIME_LEN ||
	    strspn(text, "0123456789TZ") != TIME_LEN ||
	    sscanf(text, "%4d%2d%2dT%2d%2d%2dZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6 ||
	    used != TIME_LEN)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*seconds_out = timegm(&tm);
	return true;
}

static gaz_status check_date(const struct authorization *auth, const char *amz_date,
			     int64_t now_ms, struct sigv4_refusal *refusal)
{
	int64_t sent_s;
	int64_t now_s = now_ms / 1000;

	if (!parse_amz_date(amz_date, &sent_s))
		return refuse(refusal, ERROR_INCOMPLETE_SIGNATURE,
			      "Authorization header requires existence of a well-formed "
			      "'X-Amz-Date' header.");
	if (memcmp(amz_date, auth->date.at, DATE_LEN) != 0)
		return refuse(refusal, ERROR_INVALID_SIGNATURE,
			      "Date in Credential scope does not match YYYYMMDD from "
			      "ISO-8601 version of date from HTTP");
	if (sent_s < now_s - SIGV4_MAX_SKEW_S)
		return refuse(refusal, ERROR_INVALID_SIGNATURE,
			      "Signature expired: X-Amz-Date is more than 5 minutes in "
			      "the past");
	if (sent_s > now_s + SIGV4_MAX_SKEW_S)
		return refuse(
			refusal, ERROR_INVALID_SIGNATURE,
			"Signature not yet current: X-Amz-Date is more than 5 minutes "
			"in the future");
	return GAZ_OK;
}

/* What decides about the call must be covered by the signature. */
static gaz_status check_signed_headers(const struct authorization *auth,
				       struct sigv4_refusal *refusal)
{
	static const char *const required[] = {"host", "x-amz-date", "x-amz-target"};

	for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
		if (!is_signed(auth->signed_headers, required[i]))
			return refuse(refusal, ERROR_INVALID_SIGNATURE,
				      "'Host', 'X-Amz-Date' and 'X-Amz-Target' must be "
				      "'SignedHeaders' in the AWS Authorization.");
	}
	return GAZ_OK;
}

static gaz_status verify(const struct sigv4_policy *policy,
			 const struct sigv4_request *request,
			 const struct authorization *auth, struct sigv4_refusal *refusal)
{
	const char *amz_date = request->header(request->header_arg, "X-Amz-Date");
	const char *secret = NULL;
	char expected[HEX_DIGEST_SIZE];
	gaz_status st;

	for (size_t i = 0; i < policy->key_count && !secret; i++) {
		if (piece_is(auth->access_key_id, policy->keys[i].access_key_id))
			secret = policy->keys[i].secret;
	}
	if (!secret)
		return refuse(refusal, ERROR_UNRECOGNIZED_CLIENT,
			      "The security token included in the request is invalid.");
	if ((st = check_date(auth, amz_date, policy->now_ms, refusal)) != GAZ_OK ||
	    (st = check_signed_headers(auth, refusal)) != GAZ_OK)
		return st;
	st = compute_signature(auth, request, amz_date, secret, expected);
	if (st == GAZ_ENOMEM)
		return st;
	if (st != GAZ_OK ||
	    CRYPTO_memcmp(expected, auth->signature.at, HEX_DIGEST_SIZE - 1) != 0)
		return refuse(
			refusal, ERROR_INVALID_SIGNATURE,
			"The request signature we calculated does not match the "
			"signature you provided. Check your AWS Secret Access Key and "
			"signing method. Consult the service documentation for details.");
	return GAZ_OK;
}

static void take_identity(const struct authorization *auth, struct sigv4_identity *out)
{
	memcpy(out->region, auth->region.at, auth->region.len);
	out->region[auth->region.len] = '\0';
	if (auth->access_key_id.len == SIGV4_ACCOUNT_SIZE - 1 &&
	    only(auth->access_key_id, "0123456789"))
		memcpy(out->account, auth->access_key_id.at, SIGV4_ACCOUNT_SIZE - 1);
}

gaz_status sigv4_authenticate(const struct sigv4_policy *policy,
			      const struct sigv4_request *request,
			      struct sigv4_identity *out, struct sigv4_refusal *refusal)
{
	const char *header = request->header(request->header_arg, "Authorization");
	struct authorization auth;
	bool formed = header && parse_authorization(header, &auth);

	(void)snprintf(out->region, sizeof out->region, "%s", policy->default_region);
	(void)snprintf(out->account, sizeof out->account, "%s", policy->default_account);
	if (policy->mode == API_AUTH_OFF) {
		if (formed)
			take_identity(&auth, out);
		return GAZ_OK;
	}
	if (!header)
		return refuse(refusal, ERROR_MISSING_AUTHENTICATION,
			      "Missing Authentication Token");
	if (!formed || !has_signature(&auth))
		return refuse(refusal, ERROR_INCOMPLETE_SIGNATURE,
			      "Authorization header is not of the form 'AWS4-HMAC-SHA256 "
			      "Credential=<key>/<date>/<region>/" SERVICE
			      "/aws4_request, "
			      "SignedHeaders=..., Signature=...'");
	if (!piece_is(auth.service, SERVICE))
		return refuse(refusal, ERROR_INVALID_SIGNATURE,
			      "Credential should be scoped to correct service: '" SERVICE
			      "'.");
	take_identity(&auth, out);
	return policy->mode == API_AUTH_PARSE ? GAZ_OK
					      : verify(policy, request, &auth, refusal);
}
