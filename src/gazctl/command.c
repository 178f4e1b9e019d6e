/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/command.h"

#include <string.h>

static const struct arg_option namespace_create_options[] = {
	{"private", NULL, false, "a private DNS namespace, seen from one VPC (--vpc)"},
	{"public", NULL, false, "a public DNS namespace, seen by everybody"},
	{"http", NULL, false, "an HTTP namespace: no DNS at all"},
	{"vpc", "ID", false, "the VPC that sees a private namespace"},
	{"description", "TEXT", false, "a description"},
	{"soa-ttl", "SECONDS", false,
	 "TTL of the SOA record: how long misses are cached"},
	{"tag", "KEY=VALUE", true, "a tag; repeatable"},
	{"request-id", "ID", false, "the same call with the same id is made only once"},
	{0},
};

static const struct arg_option namespace_list_options[] = {
	{"type", "TYPE", true, "only HTTP, DNS_PRIVATE or DNS_PUBLIC; repeatable"},
	{"name", "NAME", true, "only those of this name; repeatable"},
	{"http-name", "NAME", true, "only those that discovery knows by this name"},
	{"begins-with", NULL, false, "take --type, --name and --http-name as beginnings"},
	{"owner", "OWNER", false, "only those of SELF, or of OTHER_ACCOUNTS"},
	{"max", "N", false, "one page of so many at most; all pages if absent"},
	{"next-token", "TOKEN", false, "the page that begins here"},
	{0},
};

static const struct arg_option namespace_update_options[] = {
	{"description", "TEXT", false, "a new description"},
	{"soa-ttl", "SECONDS", false, "a new TTL of the SOA record"},
	{"request-id", "ID", false, "the same call with the same id is made only once"},
	{0},
};

static const struct arg_option service_create_options[] = {
	{"namespace", "NAMESPACE", false, "its namespace, by id or name (required)"},
	{"record", "TYPE[:TTL]", true,
	 "a DNS record of each instance: A, AAAA, SRV or CNAME; TTL 60; repeatable"},
	{"routing", "POLICY", false, "MULTIVALUE (default) or WEIGHTED"},
	{"type", "HTTP", false, "found through the API alone, without DNS"},
	{"health-check", "TYPE", false, "HTTP, HTTPS or TCP"},
	{"health-path", "PATH", false, "what an HTTP or HTTPS check asks for"},
	{"failure-threshold", "N", false, "failures until a check's status changes"},
	{"custom-health", NULL, false, "its instances' health is set by calls"},
	{"description", "TEXT", false, "a description"},
	{"tag", "KEY=VALUE", true, "a tag; repeatable"},
	{"request-id", "ID", false, "the same call with the same id is made only once"},
	{0},
};

static const struct arg_option service_list_options[] = {
	{"namespace", "NAMESPACE", true,
	 "only those in this namespace, by id or name; repeatable"},
	{"owner", "OWNER", false, "only those of SELF, or of OTHER_ACCOUNTS"},
	{"max", "N", false, "one page of so many at most; all pages if absent"},
	{"next-token", "TOKEN", false, "the page that begins here"},
	{0},
};

static const struct arg_option service_update_options[] = {
	{"description", "TEXT", false, "a new description"},
	{"record", "TYPE:TTL", true, "a record's new TTL; name every record that stays"},
	{"no-records", NULL, false, "no DNS records any more"},
	{"health-check", "TYPE", false, "add a health check: HTTP, HTTPS or TCP"},
	{"health-path", "PATH", false, "what the check asks for"},
	{"failure-threshold", "N", false, "failures until the check's status changes"},
	{"no-health-check", NULL, false, "no health check any more"},
	{0},
};

static const struct arg_option instance_register_options[] = {
	{"ipv4", "ADDRESS", false, "the same as --attribute AWS_INSTANCE_IPV4=ADDRESS"},
	{"ipv6", "ADDRESS", false, "the same with AWS_INSTANCE_IPV6"},
	{"cname", "NAME", false, "the same with AWS_INSTANCE_CNAME"},
	{"port", "PORT", false, "the same with AWS_INSTANCE_PORT"},
	{"attribute", "KEY=VALUE", true, "an attribute; repeatable"},
	{"request-id", "ID", false, "the same call with the same id is made only once"},
	{0},
};

static const struct arg_option instance_list_options[] = {
	{"max", "N", false, "one page of so many at most; all pages if absent"},
	{"next-token", "TOKEN", false, "the page that begins here"},
	{0},
};

static const struct arg_option instance_health_options[] = {
	{"instance", "ID", true, "of this one as well; repeatable"},
	{"max", "N", false, "one page of so many at most; all pages if absent"},
	{"next-token", "TOKEN", false, "the page that begins here"},
	{0},
};

static const struct arg_option operation_show_options[] = {
	{"owner", "ACCOUNT", false, "the account that it belongs to"},
	{0},
};

static const struct arg_option operation_list_options[] = {
	{"namespace", "NAMESPACE", false, "only those on this namespace, by id or name"},
	{"service", "SERVICE", false, "only those on this service, by id or name"},
	{"status", "STATUS", true,
	 "only SUBMITTED, PENDING, SUCCESS or FAIL; repeatable"},
	{"type", "TYPE", true,
	 "only this type, for example CREATE_NAMESPACE; repeatable"},
	{"since", "TIME", false, "only those whose status changed then or later"},
	{"until", "TIME", false, "only those whose status changed then or earlier"},
	{"max", "N", false, "one page of so many at most; all pages if absent"},
	{"next-token", "TOKEN", false, "the page that begins here"},
	{0},
};

static const struct arg_option discover_options[] = {
	{"health", "STATUS", false,
	 "HEALTHY (default), UNHEALTHY, ALL or HEALTHY_OR_ELSE_ALL"},
	{"query", "KEY=VALUE", true, "an attribute that all must have; repeatable"},
	{"optional", "KEY=VALUE", true, "one to prefer, if any has it; repeatable"},
	{"max", "N", false, "so many instances at most; 100 if absent"},
	{"revision", NULL, false, "only the number of the service's revision"},
	{"owner", "ACCOUNT", false, "the account that it belongs to"},
	{0},
};

static const struct arg_option watch_options[] = {
	{"count", "N", false, "end after so many changes"},
	{0},
};

static const struct arg_option explain_options[] = {
	{"from", "ADDRESS", false, "the source that asks; default 127.0.0.1"},
	{"to", "ADDR:PORT", false,
	 "the listener that is asked; default: one without VPC"},
	{0},
};

static const struct arg_option apply_options[] = {
	{"dry-run", NULL, false, "only tell what would be done"},
	{0},
};

static const struct arg_option restore_options[] = {
	{"data", "DIR", false, "the data directory; the daemon's default if absent"},
	{"force", NULL, false, "keep a store that is there beside the new one"},
	{0},
};

static const struct arg_option resolver_install_options[] = {
	{"method", "METHOD", false,
	 "systemd-resolved, networkmanager, resolvconf or resolv.conf"},
	{"domain", "SUFFIX", true, "a domain to send here; default: all namespaces"},
	{"server", "ADDR[:PORT]", false,
	 "where gazetteerd answers; default: it is asked"},
	{"dry-run", NULL, false, "show what would be done"},
	{"root", "DIR", false, "change the tree in this directory; run nothing"},
	{0},
};

static const struct arg_option resolver_remove_options[] = {
	{"dry-run", NULL, false, "show what would be done"},
	{"keep-changed", NULL, false, "leave files that somebody has changed since"},
	{"force", NULL, false, "put these back too"},
	{"root", "DIR", false, "change the tree in this directory; run nothing"},
	{0},
};

static const struct arg_option resolver_status_options[] = {
	{"root", "DIR", false, "look at the tree in this directory"},
	{0},
};

static const struct arg_option doctor_options[] = {
	{"server", "ADDR[:PORT]", false, "ask the daemon here; default: what it says"},
	{"root", "DIR", false, "read the configuration of the tree in this directory"},
	{0},
};

const struct arg_option command_no_options[] = {{0}};

const struct command command_table[] = {
	{"namespace create", "NAME", namespace_create_options,
	 "create a namespace (--private, --public or --http)", cmd_namespace_create},
	{"namespace list", "", namespace_list_options, "list namespaces",
	 cmd_namespace_list},
	{"namespace show", "NAMESPACE", NULL, "show one namespace, by id or name",
	 cmd_namespace_show},
	{"namespace update", "NAMESPACE", namespace_update_options,
	 "change the description or the SOA TTL", cmd_namespace_update},
	{"namespace delete", "NAMESPACE", NULL, "delete a namespace without services",
	 cmd_namespace_delete},
	{"service create", "NAME", service_create_options,
	 "create a service in a namespace", cmd_service_create},
	{"service list", "", service_list_options, "list services", cmd_service_list},
	{"service show", "SERVICE", NULL, "show one service, by id or name",
	 cmd_service_show},
	{"service update", "SERVICE", service_update_options,
	 "change the description, the TTLs or the health check", cmd_service_update},
	{"service delete", "SERVICE", NULL, "delete a service without instances",
	 cmd_service_delete},
	{"service attributes show", "SERVICE", NULL, "show a service's own attributes",
	 cmd_service_attributes_show},
	{"service attributes set", "SERVICE KEY=VALUE...", NULL,
	 "add or replace attributes", cmd_service_attributes_set},
	{"service attributes remove", "SERVICE KEY...", NULL, "remove attributes",
	 cmd_service_attributes_remove},
	{"instance register", "SERVICE ID", instance_register_options,
	 "register or replace an instance", cmd_instance_register},
	{"instance deregister", "SERVICE ID", NULL, "remove an instance",
	 cmd_instance_deregister},
	{"instance list", "SERVICE", instance_list_options,
	 "list the instances of a service", cmd_instance_list},
	{"instance show", "SERVICE ID", NULL, "show one instance", cmd_instance_show},
	{"instance health", "SERVICE [ID] [STATUS]", instance_health_options,
	 "show the health, or set it: HEALTHY, UNHEALTHY", cmd_instance_health},
	{"discover", "NAMESPACE SERVICE", discover_options,
	 "find instances as clients do", cmd_discover},
	{"watch", "SERVICE", watch_options, "print changes of a service's instances",
	 cmd_watch},
	{"explain", "NAME [TYPE]", explain_options,
	 "why a client gets the answer that it gets", cmd_explain},
	{"operation show", "ID", operation_show_options, "show one operation",
	 cmd_operation_show},
	{"operation list", "", operation_list_options, "list operations",
	 cmd_operation_list},
	{"vpc put", "ID CIDR...", NULL, "declare a VPC: the source prefixes that it has",
	 cmd_vpc_put},
	{"vpc list", "", NULL, "list the declared VPCs", cmd_vpc_list},
	{"vpc delete", "ID", NULL, "forget a declared VPC", cmd_vpc_delete},
	{"zone list", "", NULL, "list the zones: namespaces and zone files",
	 cmd_zone_list},
	{"zone show", "ZONE", NULL, "show one zone, by name or id", cmd_zone_show},
	{"zone reload", "[ZONE]", NULL, "read the zone files again, or that of one zone",
	 cmd_zone_reload},
	{"zone export", "ZONE", NULL, "write a zone to standard output as a zone file",
	 cmd_zone_export},
	{"tag list", "ARN", NULL, "list the tags of a namespace or a service",
	 cmd_tag_list},
	{"tag add", "ARN KEY=VALUE...", NULL, "add or replace tags", cmd_tag_add},
	{"tag remove", "ARN KEY...", NULL, "remove tags", cmd_tag_remove},
	{"cache flush", "", NULL, "forget what the resolvers of --forward have answered",
	 cmd_cache_flush},
	{"status", "", NULL, "show the version, addresses and counters of the daemon",
	 cmd_status},
	{"backup", "FILE", NULL,
	 "copy the store while it is in use; FILE may be a directory", cmd_backup},
	{"restore", "FILE", restore_options,
	 "put a copy in place; the daemon must not run", cmd_restore},
	{"resolver install", "", resolver_install_options,
	 "make this machine's resolver ask gazetteerd", cmd_resolver_install},
	{"resolver remove", "", resolver_remove_options,
	 "undo what resolver install did, exactly", cmd_resolver_remove},
	{"resolver status", "", resolver_status_options,
	 "show whether what resolver install did is in place", cmd_resolver_status},
	{"doctor", "", doctor_options, "find what keeps names from being found",
	 cmd_doctor},
	{"apply", "FILE", apply_options,
	 "create and change what a file says; FILE - is standard input", cmd_apply},
	{"export", "[NAMESPACE]", NULL, "print what is there as a file for apply",
	 cmd_export},
	{"call", "OPERATION [JSON]", NULL,
	 "call any operation of the API; JSON - reads standard input", cmd_call},
	{0},
};

/* How many words there are if the operands begin with all of them, else 0. */
static size_t match_words(const char *words, const char *const *operands, size_t count)
{
	size_t matched = 0;

	for (; *words; words += strspn(words, " ")) {
		size_t len = strcspn(words, " ");

		if (matched == count || strlen(operands[matched]) != len ||
		    memcmp(operands[matched], words, len) != 0)
			return 0;
		matched++;
		words += len;
	}
	return matched;
}

const struct command *command_find(const char *const *operands, size_t count,
				   size_t *words_out)
{
	for (const struct command *c = command_table; c->words; c++) {
		size_t words = match_words(c->words, operands, count);

		if (words == 0)
			continue;
		*words_out = words;
		return c;
	}
	return NULL;
}

bool command_takes(const struct command *command, size_t count)
{
	size_t least = 0, most = 0;

	for (const char *at = command->operands; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		least += at[0] != '[';
		most++;
		if (len > 3 && memcmp(at + len - 3, "...", 3) == 0)
			return count >= least;
		at += len;
	}
	return count >= least && count <= most;
}

void command_print_options(FILE *file, const struct arg_option *options)
{
	for (; options && options->name; options++) {
		char head[64];

		snprintf(head, sizeof(head), "--%s%s%s", options->name,
			 options->value ? " " : "", options->value ? options->value : "");
		fprintf(file, "  %-24s %s\n", head, options->help);
	}
}

void command_print_help(FILE *file, const struct command *command)
{
	fprintf(file, "usage: gazctl %s%s%s%s\n%s\n", command->words,
		command->operands[0] ? " " : "", command->operands,
		command->options ? " [OPTION...]" : "", command->help);
	command_print_options(file, command->options);
	fputs("global options: gazctl --help\n", file);
}
