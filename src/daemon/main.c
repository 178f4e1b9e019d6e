/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/server.h"
#include "base/clock.h"
#include "base/halt.h"
#include "base/log.h"
#include "config.h"
#include "daemon/cookiefile.h"
#include "daemon/datadir.h"
#include "daemon/explain.h"
#include "daemon/forwarding.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/placement.h"
#include "daemon/seedfile.h"
#include "daemon/signals.h"
#include "daemon/statics.h"
#include "daemon/upkeep.h"
#include "forward/forward.h"
#include "prober/prober.h"
#include "registry/registry.h"
#include "responder/responder.h"
#include "store/store.h"
#include "upstream/upstream.h"
#include "zone/host.h"
#include "zone/zonedb.h"

/* The whole daemon: wires the parts together, waits for a signal, and takes
 * them apart again in the opposite order. */

enum {
	EXIT_USAGE = 2,
	ADDRESSES_SIZE = 4096,
};

struct daemon {
	struct options options;
	struct store *store;
	struct zonedb *db;
	struct prober *prober; /* NULL: health checks are off */
	struct registry *registry;
	struct responder *responder;
	struct statics *statics;   /* NULL: no zone files */
	struct forward *forward;   /* NULL: names of others are refused */
	struct upstream *upstream; /* NULL: no resolver to ask */
	struct api_server *api;
	struct explainer explainer;
	char dns_addresses[ADDRESSES_SIZE];
	char api_addresses[ADDRESSES_SIZE];
	char dns_cpus[CPUS_TEXT_SIZE];
	int64_t started_ms;
};

static gaz_status open_registry(struct daemon *d, struct gaz_error *err)
{
	const struct options *o = &d->options;
	const struct store_config store_config = upkeep_store_config(o->data);
	const struct registry_config config = {
		.vpcs = o->vpcs, /* those of listeners among them */
		.vpc_count = o->vpc_count,
		.ptr = o->ptr,
		.strict_vpcs = o->strict_vpcs,
		.dns = &d->explainer.dns,
		.max_namespaces = o->quota_namespaces,
		.max_services_per_namespace = o->quota_services_per_namespace,
		.max_instances_per_service = o->quota_instances_per_service,
		.max_instances_per_namespace = o->quota_instances_per_namespace,
		.operation_delay_ms = o->operation_delay_ms,
		.custom_health_delay_ms = o->custom_health_delay_ms,
		.operation_keep_ms = (int64_t)o->operation_hours * 3600000,
		.operation_max = o->operation_max,
		.max_custom_attributes = o->quota_custom_attributes,
		.max_service_attributes = o->quota_service_attributes,
		.max_tags = o->quota_tags,
		.apex = &o->apex,
		.ec2 = o->ec2,
		.ec2_count = o->ec2_count,
		.discover_health = o->discover_health,
		.zonedir = d->statics ? statics_dir(d->statics) : NULL,
		.seed = o->random_seed,
		.on_checks = d->prober ? prober_take_notices : NULL,
		.on_checks_arg = d->prober,
	};
	struct store_faults faults;
	gaz_status st;

	upkeep_catch_faults(&faults);
	st = store_open(&store_config, &d->store, err);
	if (st == GAZ_OK)
		st = registry_open(&config, d->store, d->db, &d->registry, err);
	upkeep_release_faults(&faults);
	return st;
}

/* ---- opening: everything that can fail, before anything is served ---- */

static gaz_status load_zone_files(struct daemon *d, struct gaz_error *err)
{
	const struct halt halt = {signals_is_end_pending, NULL};

	return d->statics ? statics_load(d->statics, &halt, err) : GAZ_OK;
}

static gaz_status open_hosts(struct daemon *d, struct gaz_error *err)
{
	const struct options *o = &d->options;
	const struct sockaddr *resolver = (const struct sockaddr *)&o->alias_upstream;
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < o->alias_count; i++) {
		const struct alias_host *host = &o->aliases[i];
		char name[DNAME_TEXT_SIZE];

		st = host_fix(d->db, host->name, host->addresses, host->address_count,
			      host->ttl);
		if (st == GAZ_EEXISTS)
			return gaz_error_set(
				err, st,
				"--alias: %.255s is given twice; give all its "
				"addresses at once",
				dname_to_text(host->name, name));
	}
	if (st == GAZ_OK && resolver->sa_family != AF_UNSPEC)
		st = upstream_open(resolver, d->db, &d->upstream);
	if (st == GAZ_ENOMEM)
		return gaz_error_set(err, st, "out of memory");
	return st == GAZ_OK
		       ? st
		       : gaz_error_set(err, st,
				       "--alias-upstream: no socket to that resolver; "
				       "is its address family usable here?");
}

/* Before the registry, which tells it while loading what is to be checked. */
static gaz_status open_prober(struct daemon *d, struct gaz_error *err)
{
	const struct prober_config config = {
		.interval_ms = d->options.health_check_interval_ms,
		.in_flight_max = d->options.health_check_max,
	};
	gaz_status st;

	if (!d->options.health_checks)
		return GAZ_OK;
	st = prober_open(&config, &d->prober);
	return st == GAZ_OK ? st
			    : gaz_error_set(err, st, "cannot set up health checks: %s",
					    gaz_status_text(st));
}

static void log_skipped(const struct gaz_error *err)
{
	log_warn("listener-skipped", "reason=\"%s\"", err->text);
}

static gaz_status open_responder(struct daemon *d, struct gaz_error *err)
{
	const struct responder_config config = {
		.endpoints = d->options.listen,
		.endpoint_count = d->options.listen_count,
		.workers = d->options.workers,
		.cpus = &d->options.dns_cpus,
		.seed = d->options.random_seed,
		.on_skip = d->options.best_effort ? log_skipped : NULL,
		.udp_gather_us = d->options.udp_gather_us,
		.tcp_idle_ms = d->options.tcp_idle_ms,
		.tcp_max = d->options.tcp_max,
		.subnet_from = {d->options.subnet_from, d->options.subnet_from_count},
		.proxy_from = {d->options.proxy_from, d->options.proxy_from_count},
		.udp_size = d->options.udp_size,
		.denies_unknown = d->options.denies_unknown,
		.has_negative_ttl = d->options.has_negative_ttl,
		.negative_ttl_s = d->options.negative_ttl_s,
		.nsid = d->options.nsid,
		.identity = d->options.identity,
		.version = d->options.version_text,
		.cookies = d->options.cookies.count ? &d->options.cookies : NULL,
	};

	return responder_open(&config, d->db, &d->responder, err);
}

static void add_forward_status(const struct forward *forward, struct api_status *out)
{
	struct forward_counters counters;

	forward_read_counters(forward, &counters);
	out->forward.queries = counters.queries;
	out->forward.cache_hits = counters.hits;
	out->forward.questions = counters.questions;
	out->forward.failures = counters.failures;
	out->forward.turned_away = counters.turned_away;
	for (size_t i = 0; i < sizeof out->rcodes / sizeof *out->rcodes; i++) {
		out->rcodes[i] += counters.rcodes[i];
		out->answered += counters.rcodes[i];
	}
}

static void read_status(void *arg, struct api_status *out)
{
	const struct daemon *d = arg;
	struct responder_counters counters;
	struct zonedb_stats stats;

	responder_read_counters(d->responder, &counters);
	zonedb_stats(d->db, &stats);
	*out = (struct api_status){
		.version = PACKAGE_VERSION,
		.started_ms = d->started_ms,
		.dns_addresses = d->dns_addresses,
		.api_addresses = d->api_addresses,
		.socket_path = d->options.socket,
		.data_dir = d->options.data,
		.workers = d->options.workers,
		.dns_cpus = d->dns_cpus[0] ? d->dns_cpus : NULL,
		.zones = stats.zones,
		.names = stats.names,
		.udp_queries = counters.udp_queries,
		.udp_grouped = counters.udp_grouped,
		.udp_rests = counters.udp_rests,
		.tcp_queries = counters.tcp_queries,
		.answered = counters.answered,
		.dropped = counters.dropped,
		.truncated = counters.truncated,
	};
	memcpy(out->rcodes, counters.rcodes, sizeof out->rcodes);
	if (d->forward)
		add_forward_status(d->forward, out);
}

static gaz_status open_api(struct daemon *d, struct gaz_error *err)
{
	const struct options *o = &d->options;
	struct api_config config = {
		.endpoints = o->api,
		.endpoint_count = o->api_count,
		.socket_path = o->socket,
		.endpoint_fds = o->api_fds, /* NULL, or as many as there are addresses */
		.socket_fd = o->socket_fd,
		.on_skip = o->best_effort ? log_skipped : NULL,
		.auth = o->auth,
		.keys = o->keys,
		.key_count = o->key_count,
		.default_region = o->region,
		.default_account = o->account,
		.reload = d->statics ? statics_reload : NULL,
		.reload_arg = d->statics,
		.flush = d->forward ? forwarding_flush : NULL,
		.flush_arg = d->forward,
		.read_status = read_status,
		.read_status_arg = d,
	};

	memcpy(config.rates, o->rates, sizeof config.rates);
	return api_server_open(&config, d->registry, &d->api, err);
}

static gaz_status open_all(struct daemon *d, struct gaz_error *err)
{
	gaz_status st = GAZ_OK;

	explain_init(&d->explainer, &d->options, &d->responder, &d->forward);
	if (!d->options.ephemeral)
		st = path_make_parents(d->options.data, err);
	if (st == GAZ_OK && zonedb_new(&d->db) != GAZ_OK)
		st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	if (st == GAZ_OK)
		st = open_prober(d, err);
	if (st == GAZ_OK && d->options.zones[0])
		st = statics_new(d->options.zones, d->db, &d->statics, err);
	if (st == GAZ_OK)
		st = open_registry(d, err);
	if (st == GAZ_OK) {
		zonedb_enter_thread();
		st = load_zone_files(d, err);
		if (st == GAZ_OK)
			st = open_hosts(d, err);
		if (st == GAZ_OK)
			st = apiname_publish(&d->options.api_names, d->options.api,
					     d->options.api_count, d->db, err);
		zonedb_leave_thread();
	}
	if (st == GAZ_OK)
		st = open_responder(d, err);
	if (st == GAZ_OK)
		st = forwarding_open(&d->options, d->responder, &d->forward, err);
	return st == GAZ_OK ? open_api(d, err) : st;
}

/* ---- running ---- */

static void add_address(char list[ADDRESSES_SIZE], const struct sockaddr *addr)
{
	char text[NETADDR_TEXT_SIZE];
	size_t used = strlen(list);

	if (!addr)
		return; /* left out */
	(void)snprintf(list + used, ADDRESSES_SIZE - used, "%s%s", used ? "," : "",
		       netaddr_print_endpoint(addr, text));
}

static void list_addresses(struct daemon *d)
{
	for (size_t i = 0; i < d->options.listen_count; i++)
		add_address(d->dns_addresses, responder_address(d->responder, i));
	for (size_t i = 0; i < d->options.api_count; i++)
		add_address(d->api_addresses, api_server_address(d->api, i));
}

static gaz_status start_all(struct daemon *d, struct gaz_error *err)
{
	gaz_status st = registry_start(d->registry);

	if (st != GAZ_OK)
		return gaz_error_set(err, st, "cannot start a thread");
	if (d->options.seed[0] != '\0')
		st = seedfile_apply(&d->options, d->registry, err);
	if (st != GAZ_OK)
		return st;
	if (d->statics)
		st = statics_start(d->statics, d->registry);
	if (st == GAZ_OK && d->upstream)
		st = upstream_start(d->upstream);
	if (st == GAZ_OK && d->forward)
		st = forward_start(d->forward);
	if (st == GAZ_OK)
		st = responder_start(d->responder);
	if (st == GAZ_OK && d->prober)
		st = prober_start(d->prober, d->registry);
	if (st == GAZ_OK)
		st = api_server_start(d->api);
	if (st != GAZ_OK)
		gaz_error_set(err, st, "cannot start a thread");
	return st;
}

/* What is wrong with the file must not take away the secrets that are in use. */
static void reload_cookies(struct daemon *d)
{
	struct options *o = &d->options;
	struct gaz_error err = {.text = ""};

	if (cookiefile_read(o->cookie_file, &o->cookies, &err) != GAZ_OK) {
		log_error("cookie-secrets-not-reloaded", "error=\"%s\"", err.text);
		return;
	}
	responder_replace_cookies(d->responder, &o->cookies);
	log_info("cookie-secrets-reloaded", "file=%s secrets=%u", o->cookie_file,
		 o->cookies.count);
}

/* Ends with READY=1, which the thread of the zone files sends if there are any. */
static void reload(struct daemon *d)
{
	log_info("reload", "signal=HUP");
	notify_reloading();
	if (d->options.cookie_file[0] != '\0')
		reload_cookies(d);
	if (d->statics)
		statics_refresh(d->statics);
	else
		notify_send("READY=1");
}

static void wait_for_the_end(struct daemon *d, const sigset_t *signals)
{
	int signal = 0;

	do {
		(void)sigwait(signals, &signal);
		if (signal == SIGHUP)
			reload(d);
	} while (signal != SIGTERM && signal != SIGINT);
	log_info("stopping", "signal=%s", signal == SIGTERM ? "TERM" : "INT");
	notify_send("STOPPING=1");
}

/* Reloads of zone files end at once, with an error to who waits for one. Calls under way
 * are answered, then the queue of the writer is done, what the
 * prober has reported last in it, then the queries that have arrived, those first that
 * wait for an upstream. */
static void close_all(struct daemon *d)
{
	if (d->statics)
		statics_stop(d->statics);
	if (d->api)
		api_server_stop(d->api);
	if (d->prober)
		prober_stop(d->prober);
	if (d->registry)
		registry_stop(d->registry);
	if (d->forward)
		forward_stop(d->forward);
	if (d->responder)
		responder_stop(d->responder);
	forward_close(&d->forward); /* while the sockets of the workers are open */
	api_server_close(&d->api);
	responder_close(&d->responder);
	upstream_close(&d->upstream);
	registry_close(&d->registry);
	statics_close(&d->statics);
	prober_close(&d->prober);
	store_close(&d->store);
	zonedb_free(&d->db);
}

/* With a standard stream closed, the first file that is opened, such as the
 * store, would take its number, and log lines would be written into it. */
static void open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Each connection takes a descriptor: use as many as we may. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(struct daemon *d)
{
	struct gaz_error err = {.text = "unknown error"};
	sigset_t signals;
	gaz_status st;

	signals_block(&signals);
	raise_descriptor_limit();
	/* Threads run where those do that start them. */
	st = placement_take(&d->options.dns_cpus, &err);
	if (st == GAZ_OK)
		st = open_all(d, &err);
	if (st == GAZ_OK) {
		d->started_ms = clock_now_ms(&(struct clock){0});
		list_addresses(d);
		cpus_print(&d->options.dns_cpus, d->dns_cpus);
		st = start_all(d, &err);
	}
	if (st == GAZ_OK) {
		fprintf(stderr, "ready dns=%s api=%s socket=%s\n", d->dns_addresses,
			*d->api_addresses ? d->api_addresses : "none", d->options.socket);
		notify_send("READY=1");
		wait_for_the_end(d, &signals);
	} else {
		fprintf(stderr, "gazetteerd: %s\n", err.text);
		if (st == GAZ_EBUSY && signals_is_end_pending(NULL)) {
			/* Work of the start was given up: an end like any other. What
			 * SIGHUP is for is not there yet. */
			sigdelset(&signals, SIGHUP);
			wait_for_the_end(d, &signals);
			st = GAZ_OK;
		}
	}
	close_all(d);
	return st == GAZ_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	struct gaz_error err = {.text = "unknown error"};
	enum options_verdict verdict;
	int status = EXIT_SUCCESS;

	open_standard_streams();
	/* A file size limit (ulimit -f) is a full disk, and no reason to end. */
	signal(SIGXFSZ, SIG_IGN);
	verdict = options_read(&d.options, argc, argv, &err);
	if (verdict == OPTIONS_RUN && d.options.ephemeral &&
	    datadir_make_temporary(d.options.data, &err) != GAZ_OK)
		verdict = OPTIONS_EXIT_USAGE;
	if (verdict == OPTIONS_EXIT_USAGE) {
		fprintf(stderr, "gazetteerd: %s\n", err.text);
		status = EXIT_USAGE;
	} else if (verdict == OPTIONS_RUN && d.options.task != OPTIONS_SERVE) {
		status = upkeep_run(&d.options);
	} else if (verdict == OPTIONS_RUN) {
		status = run(&d);
		if (d.options.ephemeral)
			datadir_remove(d.options.data);
	}
	options_fini(&d.options);
	return status;
}
