/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/chaos.h"

#include <string.h>

#include "dns/message.h"
#include "dns/reply.h"
#include "dns/wire.h"
#include "responder/answerjob.h"

static const struct {
	size_t len;
	const char *name;
	bool is_version;
} names[] = {
	{sizeof "\2id\6server", "\2id\6server", false},
	{sizeof "\10hostname\4bind", "\10hostname\4bind", false},
	{sizeof "\7version\6server", "\7version\6server", true},
	{sizeof "\7version\4bind", "\7version\4bind", true},
};

static const struct answer_text *find_text(const struct answer_config *config,
					   const struct dname *name)
{
	for (size_t i = 0; config && i < sizeof names / sizeof *names; i++) {
		const struct answer_text *text =
			names[i].is_version ? &config->version : &config->identity;

		if (name->len == names[i].len &&
		    memcmp(name->wire, names[i].name, name->len) == 0)
			return text->len ? text : NULL;
	}
	return NULL;
}

unsigned chaos_answer(const struct answer_config *config, const struct query *query,
		      struct reply *reply)
{
	const struct answer_text *text = find_text(config, &query->name);
	uint8_t rdata[1 + UINT8_MAX];
	size_t at;

	if (!text)
		return DNS_REFUSED;
	reply->flags |= DNS_FLAG_AA;
	if (query->qtype != DNS_TYPE_TXT && query->qtype != DNS_TYPE_ANY)
		return DNS_NOERROR;
	rdata[0] = text->len;
	memcpy(rdata + 1, text->octets, text->len);
	at = reply_add_record(reply, REPLY_ANSWER, DNS_TYPE_TXT, 0, DNS_HEADER_LEN, rdata,
			      1u + text->len);
	if (at)
		wire_put_u16(reply->wire + at + 4, DNS_CLASS_CH);
	return DNS_NOERROR;
}
