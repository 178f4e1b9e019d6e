/* SPDX-License-Identifier: BSD-2-Clause */
/* What the C library's resolver makes of names: built with glibc and with musl. For each
 * argument KIND:NAME one line of JSON. */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef EAI_NODATA
#define EAI_NODATA -5
#endif
#ifndef EAI_ADDRFAMILY
#define EAI_ADDRFAMILY -9
#endif

static const char *word_of(int error)
{
	switch (error) {
	case EAI_NONAME:
		return "missing";
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return "nodata";
	case EAI_AGAIN:
	case EAI_FAIL:
		return "failed";
	default:
		return gai_strerror(error);
	}
}

static void look_up(const char *name, int family)
{
	const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char text[INET6_ADDRSTRLEN];
	int error = getaddrinfo(name, NULL, &hints, &found);

	if (error) {
		printf("{\"error\": \"%s\"}\n", word_of(error));
		return;
	}
	printf("{\"addresses\": [");
	for (const struct addrinfo *at = found; at; at = at->ai_next) {
		const void *addr =
			at->ai_family == AF_INET
				? (void *)&((struct sockaddr_in *)at->ai_addr)->sin_addr
				: (void *)&((struct sockaddr_in6 *)at->ai_addr)
					  ->sin6_addr;

		printf("%s\"%s\"", at == found ? "" : ", ",
		       inet_ntop(at->ai_family, addr, text, sizeof text));
	}
	printf("]}\n");
	freeaddrinfo(found);
}

static void look_up_srv(const char *name)
{
	unsigned char reply[4096];
	char target[1025];
	ns_msg message;
	ns_rr record;
	int len = res_query(name, C_IN, ns_t_srv, reply, sizeof reply);

	if (len < 0 || ns_initparse(reply, len, &message) != 0) {
		printf("{\"error\": \"missing\"}\n");
		return;
	}
	printf("{\"srv\": [");
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		const unsigned char *data;

		if (ns_parserr(&message, ns_s_an, i, &record) != 0)
			break;
		data = ns_rr_rdata(record);
		if (dn_expand(ns_msg_base(message), ns_msg_end(message), data + 6, target,
			      sizeof target) < 0)
			break;
		printf("%s\"%u %s\"", i ? ", " : "", (unsigned)(data[4] << 8 | data[5]),
		       target);
	}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *name = strchr(argv[i], ':') + 1;

		if (strncmp(argv[i], "srv:", 4) == 0)
			look_up_srv(name);
		else
			look_up(name, argv[i][1] == '6' ? AF_INET6 : AF_UNSPEC);
		fflush(stdout);
	}
	return 0;
}
