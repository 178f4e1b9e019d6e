/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/whoami.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dns/name.h"
#include "dns/wire.h"

enum {
	CLASS_AT = 4, /* in a record whose owner is a pointer */
	STRINGS = 5,
	STRING_SIZE = 64,
};

bool whoami_is_asked(const struct query *query)
{
	static const uint8_t name[] = "\6whoami\11gazetteer";

	return query->qclass == DNS_CLASS_CH && query->qtype == DNS_TYPE_TXT &&
	       dname_equal(query->name.wire, name);
}

static size_t put_string(uint8_t *out, const char *text)
{
	size_t len = strlen(text);

	out[0] = (uint8_t)len;
	memcpy(out + 1, text, len);
	return len + 1;
}

unsigned whoami_answer(struct answer_job *job)
{
	const struct answer_request *req = &job->req;
	uint8_t rdata[STRINGS * STRING_SIZE];
	char address[INET6_ADDRSTRLEN] = "";
	char text[STRING_SIZE];
	size_t len, at;

	(void)inet_ntop(req->source.family, req->source.bytes, address, sizeof address);
	(void)snprintf(text, sizeof text, "source=%s", address);
	len = put_string(rdata, text);
	(void)snprintf(text, sizeof text, "vpcs=%u", (unsigned)job->tags.count);
	len += put_string(rdata + len, text);
	len += put_string(rdata + len,
			  job->tags.undeclared ? "undeclared=yes" : "undeclared=no");
	len += put_string(rdata + len, req->listener_vpc == ANSWER_NO_VPC
					       ? "listener=no"
					       : "listener=yes");
	len += put_string(rdata + len, job->heeds_subnet ? "subnet=yes" : "subnet=no");
	at = reply_add_record(&job->reply, REPLY_ANSWER, DNS_TYPE_TXT, 0, DNS_HEADER_LEN,
			      rdata, len);
	if (at)
		wire_put_u16(job->reply.wire + at + CLASS_AT, DNS_CLASS_CH);
	job->reply.flags |= DNS_FLAG_AA;
	return DNS_NOERROR;
}
