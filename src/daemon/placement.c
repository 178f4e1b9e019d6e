/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/placement.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/thread.h"

static gaz_status read_allowed(struct cpus *out, struct gaz_error *err)
{
	gaz_status st = thread_read_cpus(out);

	return st == GAZ_OK
		       ? st
		       : gaz_error_set(err, st,
				       "--dns-cpus: which CPUs may be used cannot be "
				       "read: %s",
				       strerror(errno));
}

gaz_status placement_read(const char *value, struct cpus *out, struct gaz_error *err)
{
	struct cpus allowed;
	char text[CPUS_TEXT_SIZE];
	gaz_status st;

	if (cpus_parse(value, out) == GAZ_OK)
		return GAZ_OK;
	st = read_allowed(&allowed, err);
	if (st != GAZ_OK)
		return st;
	return gaz_error_set(err, GAZ_EFORMAT,
			     "--dns-cpus: '%.64s' is no list of CPUs such as 0 or 0-1,4, "
			     "each named once; this process may use %s",
			     value, cpus_print(&allowed, text));
}

gaz_status placement_check(const struct cpus *dns, struct gaz_error *err)
{
	struct cpus allowed;
	struct cpus wrong;
	char wrong_text[CPUS_TEXT_SIZE];
	char allowed_text[CPUS_TEXT_SIZE];
	gaz_status st;

	if (cpus_count(dns) == 0)
		return GAZ_OK;
	st = read_allowed(&allowed, err);
	if (st != GAZ_OK)
		return st;
	wrong = cpus_subtract(dns, &allowed);
	if (cpus_count(&wrong) == 0)
		return GAZ_OK;
	return gaz_error_set(err, GAZ_EFORMAT,
			     "--dns-cpus: CPU %s is not there or may not be used; this "
			     "process may use %s",
			     cpus_print(&wrong, wrong_text),
			     cpus_print(&allowed, allowed_text));
}

gaz_status placement_take(const struct cpus *dns, struct gaz_error *err)
{
	struct cpus others;
	char dns_text[CPUS_TEXT_SIZE];
	char others_text[CPUS_TEXT_SIZE];
	gaz_status st;

	if (cpus_count(dns) == 0)
		return GAZ_OK;
	st = read_allowed(&others, err);
	if (st != GAZ_OK)
		return st;
	others = cpus_subtract(&others, dns);
	cpus_print(dns, dns_text);
	if (cpus_count(&others) == 0) {
		log_warn("dns-cpus-shared",
			 "dns=%s reason=\"no other CPU may be used, so all other threads "
			 "run there as well\"",
			 dns_text);
		return GAZ_OK;
	}
	st = thread_keep_to(&others);
	if (st != GAZ_OK)
		return gaz_error_set(
			err, st,
			"--dns-cpus: the other threads cannot be kept to the "
			"CPUs %s: %s",
			cpus_print(&others, others_text), strerror(errno));
	log_info("dns-cpus", "dns=%s others=%s", dns_text,
		 cpus_print(&others, others_text));
	return GAZ_OK;
}
