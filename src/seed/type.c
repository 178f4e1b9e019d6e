/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/type-internal.h"

#include <stddef.h>
#include <string.h>

static const struct seed_type types[] = {
	{"HTTP", "CreateHttpNamespace", "UpdateHttpNamespace"},
	{"DNS_PRIVATE", "CreatePrivateDnsNamespace", "UpdatePrivateDnsNamespace"},
	{"DNS_PUBLIC", "CreatePublicDnsNamespace", "UpdatePublicDnsNamespace"},
};

const struct seed_type *seed_find_type(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}
