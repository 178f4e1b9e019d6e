/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "daemon/options.h"

/* The table of options: the command line, the configuration file and --help are
 * made from it. A new option is one row and one function. */

/** Take over a value; NULL turns a switch off. @return GAZ_OK, GAZ_EFORMAT (err
 *  says what is wrong with it), GAZ_ENOMEM */
typedef gaz_status set_option(struct options *options, const char *value,
			      struct gaz_error *err);

struct option_row {
	const char *name;
	const char *argument; /* NULL: a switch */
	bool repeatable;
	bool is_number; /* the file may have a JSON number for it */
	set_option *set;
	const char *help;
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

enum {
	OPTION_ROWS_MAX = 64, /* room for what is kept for each row */
};

/** The row of an option; NULL: there is none of that name. */
const struct option_row *option_find(const char *name);

/* The setters of option_cloudmap.c, which is about what the emulated AWS says. */
set_option option_set_soa;
set_option option_set_ns;
set_option option_set_soa_ttl;
set_option option_set_soa_serial;
set_option option_set_discover_health;
set_option option_set_ec2;
set_option option_set_quota;
set_option option_set_rate;

/* Those of option_dns.c, about DNS messages and connections. */
set_option option_set_unknown;
set_option option_set_negative_ttl;
set_option option_set_api_name;
set_option option_set_aws_names;
set_option option_set_subnet_from;
set_option option_set_proxy_from;
set_option option_set_nsid;
set_option option_set_identity;
set_option option_set_version_text;
set_option option_set_cookie_secret;
set_option option_set_udp_size;
set_option option_set_udp_gather;
set_option option_set_tcp_idle;
set_option option_set_tcp_max;
set_option option_set_dns_cpus;

/** Free what those of option_cloudmap.c made. */
void option_free_cloudmap(struct options *options);

/** Add the prefixes of a list CIDR[,CIDR...]. @return GAZ_OK, GAZ_EFORMAT, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status option_add_prefixes(const char *option, const char *value,
					      struct netprefix **list, size_t *count,
					      struct gaz_error *err);

/* Those of option_forward.c, and what frees what they made. */
set_option option_set_forward;
set_option option_set_allow_recursion;
void option_free_forward(struct options *options);

/* Those of option_vpc.c, about where questions come in, and from which VPC. */
set_option option_set_listen;
set_option option_set_vpc;
set_option option_set_strict_vpcs;

/** Every VPC that a listener is bound to is declared by that, if by nothing else:
 *  its sources are those that ask there, and no others. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status option_declare_listener_vpcs(struct options *options);
