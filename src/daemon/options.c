/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/options.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "daemon/activation.h"
#include "daemon/cookiefile.h"
#include "daemon/option.h"
#include "daemon/placement.h"
#include "dns/reply.h"

static void print_help(void)
{
	printf("Usage: gazetteerd [OPTION]...\n"
	       "An authoritative DNS server whose zones are AWS Cloud Map namespaces.\n\n"
	       "  -c, --config FILE\n"
	       "      read options from a JSON file: one member for each option below, "
	       "of\n"
	       "      the same name; the command line wins over it\n");
	for (size_t i = 0; i < option_row_count; i++) {
		const char *help = option_rows[i].help;

		printf("  --%s%s%s%s\n      ", option_rows[i].name,
		       option_rows[i].argument ? " " : "",
		       option_rows[i].argument ? option_rows[i].argument : "",
		       option_rows[i].repeatable ? "   (repeatable)" : "");
		for (; *help; help++)
			printf(*help == '\n' ? "\n      " : "%c", *help);
		printf("\n");
	}
	printf("  --check-store\n"
	       "      check the store in --data, which no daemon may use, print what is\n"
	       "      wrong with it, and exit: 0 if nothing is\n"
	       "  --restore FILE\n"
	       "      put a copy that gazctl backup wrote in the place of the store in\n"
	       "      --data, after the same check, and exit\n"
	       "  --force\n"
	       "      with --restore: the directory may have a store, which is kept\n"
	       "      beside the new one\n"
	       "  --version\n      print the version and exit\n"
	       "  -h, --help\n      print this and exit\n");
}

/* ---- the configuration file ---- */

static gaz_status set_from_json(struct options *c, const struct option_row *row,
				const json_t *value, struct gaz_error *err)
{
	char number[32];

	if (!row->argument && json_is_boolean(value))
		return row->set(c, json_is_true(value) ? "" : NULL, err);
	if (row->argument && json_is_string(value))
		return row->set(c, json_string_value(value), err);
	if (row->is_number && json_is_integer(value)) {
		(void)snprintf(number, sizeof number, "%lld",
			       (long long)json_integer_value(value));
		return row->set(c, number, err);
	}
	return gaz_error_set(err, GAZ_EFORMAT, "\"%s\" needs %s", row->name,
			     row->is_number  ? "a number"
			     : row->argument ? "a string"
					     : "true or false");
}

static gaz_status set_member(struct options *c, const char *name, const json_t *value,
			     struct gaz_error *err)
{
	const struct option_row *row = option_find(name);
	gaz_status st = GAZ_OK;
	const json_t *item;
	size_t i;

	if (!row)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "unknown member \"%s\"; members are named like the "
				     "options, see gazetteerd --help",
				     name);
	if (!row->repeatable || !json_is_array(value))
		return set_from_json(c, row, value, err);
	if (json_array_size(value) == 0 && strcmp(row->name, "listen") == 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "\"listen\" must name at least one address");
	json_array_foreach((json_t *)(uintptr_t)value, i, item)
	{
		if (st == GAZ_OK)
			st = set_from_json(c, row, item, err);
	}
	return st;
}

/* `given` marks the options that the command line sets: for these the file
 * does not count. Marks what the file sets in `in_file`. */
static gaz_status read_file(struct options *c, const char *path,
			    const bool given[OPTION_ROWS_MAX],
			    bool in_file[OPTION_ROWS_MAX], struct gaz_error *err)
{
	json_error_t json_err;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &json_err);
	struct gaz_error inner;
	const char *name;
	json_t *value;
	gaz_status st = GAZ_OK;

	if (!root && json_err.line < 0) /* its text names the file */
		return gaz_error_set(err, GAZ_EIO, "--config: %s", json_err.text);
	if (!root)
		return gaz_error_set(err, GAZ_EFORMAT, "%s:%d: %s", path, json_err.line,
				     json_err.text);
	if (!json_is_object(root))
		st = gaz_error_set(err, GAZ_EFORMAT, "%s: must be a JSON object", path);
	json_object_foreach(root, name, value)
	{
		const struct option_row *row = option_find(name);

		if (st != GAZ_OK || (row && given[row - option_rows]))
			continue;
		if (row)
			in_file[row - option_rows] = true;
		st = set_member(c, name, value, &inner);
		if (st != GAZ_OK)
			gaz_error_set(err, st, "%s: %s", path, inner.text);
	}
	json_decref(root);
	return st;
}

/* ---- the command line ---- */

enum {
	OPT_CONFIG = 'c',
	OPT_HELP = 'h',
	OPT_VERSION = 256,
	OPT_CHECK_STORE,
	OPT_RESTORE,
	OPT_FORCE,
	OPT_FIRST_ROW = 300,
};

enum {
	LONG_OPTIONS_MAX = OPTION_ROWS_MAX + 7, /* with those below and the end */
};

static void make_long_options(struct option out[LONG_OPTIONS_MAX])
{
	size_t n = 0;

	out[n++] = (struct option){"config", required_argument, NULL, OPT_CONFIG};
	out[n++] = (struct option){"help", no_argument, NULL, OPT_HELP};
	out[n++] = (struct option){"version", no_argument, NULL, OPT_VERSION};
	out[n++] = (struct option){"check-store", no_argument, NULL, OPT_CHECK_STORE};
	out[n++] = (struct option){"restore", required_argument, NULL, OPT_RESTORE};
	out[n++] = (struct option){"force", no_argument, NULL, OPT_FORCE};
	for (size_t i = 0; i < option_row_count; i++)
		out[n++] = (struct option){option_rows[i].name,
					   option_rows[i].argument ? required_argument
								   : no_argument,
					   NULL, OPT_FIRST_ROW + (int)i};
	out[n] = (struct option){NULL, 0, NULL, 0};
}

static enum options_verdict read_command_line(struct options *c, int argc, char **argv,
					      const char **file_out,
					      bool given[OPTION_ROWS_MAX],
					      struct gaz_error *err)
{
	struct option longs[LONG_OPTIONS_MAX];
	int opt;

	make_long_options(longs);
	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (opt) {
		case OPT_CONFIG:
			*file_out = optarg;
			break;
		case OPT_HELP:
			print_help();
			return OPTIONS_EXIT_OK;
		case OPT_VERSION:
			printf("gazetteerd %s\n", PACKAGE_VERSION);
			return OPTIONS_EXIT_OK;
		case OPT_CHECK_STORE:
			c->task = OPTIONS_CHECK;
			break;
		case OPT_RESTORE:
			c->task = OPTIONS_RESTORE;
			c->copy = optarg;
			break;
		case OPT_FORCE:
			c->force = true;
			break;
		case '?':
			gaz_error_set(err, GAZ_EFORMAT, "see gazetteerd --help");
			return OPTIONS_EXIT_USAGE;
		default:
			given[opt - OPT_FIRST_ROW] = true;
			if (option_rows[opt - OPT_FIRST_ROW].set(c, optarg ? optarg : "",
								 err) != GAZ_OK)
				return OPTIONS_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		gaz_error_set(err, GAZ_EFORMAT,
			      "unexpected argument '%s'; see gazetteerd --help",
			      argv[optind]);
		return OPTIONS_EXIT_USAGE;
	}
	return OPTIONS_RUN;
}

/* ---- defaults ---- */

/* A machine without IPv6 is served on IPv4 alone. */
static bool has_ipv6_loopback(void)
{
	struct sockaddr_storage addr;
	bool ok;
	int fd;

	if (netaddr_parse_endpoint("[::1]:0", -1, &addr) != GAZ_OK)
		return false;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ok = bind(fd, (struct sockaddr *)&addr,
		  netaddr_sockaddr_len((struct sockaddr *)&addr)) == 0;
	close(fd);
	return ok;
}

static gaz_status set_default_addresses(struct options *c, bool listen_given,
					bool api_given, struct gaz_error *err)
{
	gaz_status st = GAZ_OK;

	if (!listen_given) {
		st = option_find("listen")->set(c, "127.0.0.1", err);
		if (st == GAZ_OK && has_ipv6_loopback())
			st = option_find("listen")->set(c, "[::1]", err);
	}
	if (st == GAZ_OK && !api_given)
		st = option_find("api")->set(c, "127.0.0.1:8053", err);
	return st;
}

/* Where the number is not told. */
static void set_default_workers(struct options *c)
{
	long cores = (long)cpus_count(&c->dns_cpus);

	if (cores == 0)
		cores = sysconf(_SC_NPROCESSORS_ONLN);
	c->workers = cores < 1			   ? 1
		     : cores > OPTIONS_WORKERS_MAX ? OPTIONS_WORKERS_MAX
						   : (uint32_t)cores;
}

static gaz_status set_defaults(struct options *c, struct gaz_error *err)
{
	memset(c, 0, sizeof *c);
	c->udp_size = REPLY_UDP_DEFAULT;
	c->udp_gather_us = 60;
	c->tcp_idle_ms = 30000;
	c->tcp_max = 512;
	strcpy(c->region, "us-east-1");
	strcpy(c->account, "000000000000");
	c->health_check_interval_ms = 30000;
	c->health_check_max = 256;
	c->operation_hours = 24;
	c->operation_max = 1000000;
	c->quota_namespaces = 50;
	c->quota_instances_per_service = 1000;
	c->quota_instances_per_namespace = 2000;
	c->quota_custom_attributes = 30;
	c->quota_service_attributes = 30;
	c->quota_tags = 50;
	c->apex = apex_route53;
	if (path_default_socket(c->socket) != GAZ_OK ||
	    path_default_data(c->data) != GAZ_OK)
		return gaz_error_set(
			err, GAZ_ELIMIT,
			"the default paths are too long; give --socket and --data");
	return GAZ_OK;
}

/* What is wrong with options that are right each by itself. */
static gaz_status check_together(const struct options *c, bool has_data,
				 struct gaz_error *err)
{
	const char *fault = NULL;

	if (c->auth == API_AUTH_VERIFY && c->key_count == 0)
		fault = "--auth verify needs a --key AKID=SECRET, or nobody can call";
	else if (c->ephemeral && has_data)
		fault = "give --data or --ephemeral, not both";
	else if (c->force && c->task != OPTIONS_RESTORE)
		fault = "--force goes with --restore FILE";
	else if (c->task != OPTIONS_SERVE && c->ephemeral)
		fault = "--ephemeral has no store to check or to restore: give --data";
	else if (c->cookies.count > 0 && c->cookie_file[0] != '\0')
		fault = "give --cookie-secret or --cookie-secret-file, not both: put "
			"all secrets into the file";
	return fault ? gaz_error_set(err, GAZ_EFORMAT, "%s", fault) : GAZ_OK;
}

enum options_verdict options_read(struct options *options, int argc, char **argv,
				  struct gaz_error *err)
{
	const size_t api_row = (size_t)(option_find("api") - option_rows);
	const size_t data_row = (size_t)(option_find("data") - option_rows);
	bool given[OPTION_ROWS_MAX] = {false};
	bool in_file[OPTION_ROWS_MAX] = {false};
	const char *file = NULL;
	enum options_verdict verdict;

	if (set_defaults(options, err) != GAZ_OK)
		return OPTIONS_EXIT_USAGE;
	verdict = read_command_line(options, argc, argv, &file, given, err);
	if (verdict != OPTIONS_RUN)
		return verdict;
	if (file && read_file(options, file, given, in_file, err) != GAZ_OK)
		return OPTIONS_EXIT_USAGE;
	if (option_declare_listener_vpcs(options) != GAZ_OK) {
		gaz_error_set(err, GAZ_ENOMEM, "out of memory");
		return OPTIONS_EXIT_USAGE;
	}
	if (check_together(options, given[data_row] || in_file[data_row], err) != GAZ_OK)
		return OPTIONS_EXIT_USAGE;
	if (options->task == OPTIONS_SERVE &&
	    placement_check(&options->dns_cpus, err) != GAZ_OK)
		return OPTIONS_EXIT_USAGE;
	if (options->workers == 0)
		set_default_workers(options);
	if (options->task == OPTIONS_SERVE && options->cookie_file[0] != '\0' &&
	    cookiefile_read(options->cookie_file, &options->cookies, err) != GAZ_OK)
		return OPTIONS_EXIT_USAGE;
	if (activation_take(options, err) != GAZ_OK ||
	    set_default_addresses(options, options->listen_count > 0,
				  given[api_row] || in_file[api_row] ||
					  options->api_count > 0,
				  err) != GAZ_OK)
		return OPTIONS_EXIT_USAGE;
	return OPTIONS_RUN;
}

void options_fini(struct options *options)
{
	for (size_t i = 0; i < options->listen_count; i++)
		free((char *)(uintptr_t)options->listen[i].vpc_id);
	for (size_t i = 0; i < options->vpc_count; i++) {
		free((char *)(uintptr_t)options->vpcs[i].id);
		free((struct netprefix *)(uintptr_t)options->vpcs[i].prefixes);
	}
	for (size_t i = 0; i < options->key_count; i++) {
		free((char *)(uintptr_t)options->keys[i].access_key_id);
		free((char *)(uintptr_t)options->keys[i].secret);
	}
	option_free_cloudmap(options);
	option_free_forward(options);
	for (size_t i = 0; i < options->alias_count; i++)
		free(options->aliases[i].addresses);
	free(options->aliases);
	free(options->listen);
	free(options->api);
	free(options->api_fds);
	free(options->vpcs);
	apiname_free(&options->api_names);
	free(options->subnet_from);
	free(options->proxy_from);
	free(options->keys);
	memset(options, 0, sizeof *options);
}
