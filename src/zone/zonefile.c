/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/zonedit.h"

enum {
	TTL_DEFAULT = 3600,
	TTL_MAX = 0x7fffffff, /* RFC 2181, section 8 */
};

static const char suffix[] = ".zone";

/* One record of the file, in wire form. A file is read, sorted and checked as
 * a whole before the first record goes into the edit. */
struct entry {
	const uint8_t *owner; /* lower-case */
	const uint8_t *rdata;
	uint32_t ttl;
	uint16_t type;
	uint16_t rdata_len;
	int line; /* where it starts; no two records share one */
};

struct loader {
	const char *path;
	struct gaz_error *err;
	struct arena arena; /* owners and rdata */
	struct entry *entries;
	size_t count;
	size_t cap;
	uint8_t apex[DNAME_MAX];
	size_t apex_len;
};

static gaz_status out_of_memory(const struct loader *loader)
{
	return gaz_error_set(loader->err, GAZ_ENOMEM,
			     "%s: out of memory; free some and try again", loader->path);
}

static gaz_status fail_at(const struct loader *loader, gaz_status st, int line,
			  const char *what)
{
	return gaz_error_set(loader->err, st, "%s:%d: %s", loader->path, line, what);
}

/* The zone's name is in the file's name. */
static gaz_status read_apex(struct loader *loader)
{
	const char *slash = strrchr(loader->path, '/');
	const char *base = slash ? slash + 1 : loader->path;
	size_t len = strlen(base);
	char text[256] = "";

	if (len > strlen(suffix) && strcmp(base + len - strlen(suffix), suffix) == 0 &&
	    len - strlen(suffix) < sizeof text)
		memcpy(text, base, len - strlen(suffix));
	if (text[0] == '\0' || dname_from_text(strcmp(text, "root") == 0 ? "." : text,
					       loader->apex, &loader->apex_len) != GAZ_OK)
		return gaz_error_set(loader->err, GAZ_EFORMAT,
				     "%s: the file's name is not that of a zone; name it "
				     "<origin>.zone, such as example.org.zone",
				     loader->path);
	dname_lower(loader->apex, loader->apex, loader->apex_len);
	return GAZ_OK;
}

static struct entry *append_entry(struct loader *loader)
{
	if (loader->count == loader->cap) {
		size_t cap = loader->cap ? loader->cap * 2 : 64;
		struct entry *grown = reallocarray(loader->entries, cap, sizeof *grown);

		if (!grown)
			return NULL;
		loader->entries = grown;
		loader->cap = cap;
	}
	return &loader->entries[loader->count++];
}

/* What is wrong with a record on its own, or NULL. */
static const char *find_flaw(const struct loader *loader, const ldns_rr *rr,
			     const uint8_t *owner, const ldns_buffer *rdata)
{
	uint16_t type = (uint16_t)ldns_rr_get_type(rr);

	if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		return "the class is not IN; only class IN is served, remove the record";
	if (!dns_type_is_data(type))
		return "this type cannot be stored in a zone; remove the record";
	if (!dname_is_within(owner, loader->apex))
		return "the name is outside the zone; check for a missing or extra final "
		       "dot";
	if (type == DNS_TYPE_SOA && !dname_equal(owner, loader->apex))
		return "a SOA record below the zone's own name; remove it";
	if (ldns_rr_ttl(rr) > TTL_MAX)
		return "the TTL is over 2147483647; use a smaller one";
	if (!rdata_is_valid(type, ldns_buffer_begin(rdata), ldns_buffer_position(rdata)))
		return "the data does not have the form of its type; correct it";
	return NULL;
}

/* Copy one record out of ldns; `scratch` is room for its data. */
static gaz_status take_record(struct loader *loader, const ldns_rr *rr, int line,
			      ldns_buffer *scratch)
{
	const ldns_rdf *name = ldns_rr_owner(rr);
	struct entry entry = {.type = (uint16_t)ldns_rr_get_type(rr), .line = line};
	struct entry *slot;
	uint8_t *owner;
	uint8_t *rdata;
	const char *flaw;

	ldns_buffer_clear(scratch);
	if (ldns_rr_rdata2buffer_wire(scratch, rr) != LDNS_STATUS_OK ||
	    ldns_buffer_position(scratch) > UINT16_MAX ||
	    dname_check(ldns_rdf_data(name), ldns_rdf_size(name)) != ldns_rdf_size(name))
		return fail_at(loader, GAZ_EFORMAT, line,
			       "the record is too long; shorten it");
	if ((flaw = find_flaw(loader, rr, ldns_rdf_data(name), scratch)))
		return fail_at(loader, GAZ_EFORMAT, line, flaw);
	entry.ttl = ldns_rr_ttl(rr);
	entry.rdata_len = (uint16_t)ldns_buffer_position(scratch);
	entry.owner = owner = arena_alloc(&loader->arena, ldns_rdf_size(name));
	entry.rdata = rdata = arena_alloc(&loader->arena, entry.rdata_len);
	slot = append_entry(loader);
	if (!owner || !rdata || !slot)
		return out_of_memory(loader);
	dname_lower(owner, ldns_rdf_data(name), ldns_rdf_size(name));
	memcpy(rdata, ldns_buffer_begin(scratch), entry.rdata_len);
	*slot = entry;
	return GAZ_OK;
}

/* Step over lines without content, so that the next entry starts on the next
 * line: ldns counts such lines, but does not say where the entry started. */
static void skip_empty_lines(FILE *file, int *line)
{
	long start;
	int c;

	for (;; (*line)++) {
		start = ftell(file);
		do
			c = getc(file);
		while (c == ' ' || c == '\t' || c == '\r');
		if (c == ';') {
			do
				c = getc(file);
			while (c != '\n' && c != EOF);
		}
		if (c != '\n')
			break;
	}
	if (c != EOF)
		(void)fseek(file, start, SEEK_SET);
}

/* One entry of the file: a record or a directive. `origin` and `previous`
 * belong to the caller; ldns replaces them. */
static gaz_status read_entry(struct loader *loader, FILE *file, int *line, uint32_t *ttl,
			     ldns_rdf **origin, ldns_rdf **previous, ldns_buffer *scratch)
{
	char text[256];
	const int at = *line + 1; /* afterwards blank lines behind it are counted too */
	ldns_rr *rr = NULL;
	ldns_status parsed = ldns_rr_new_frm_fp_l(&rr, file, ttl, origin, previous, line);
	gaz_status st;

	switch (parsed) {
	case LDNS_STATUS_OK:
		st = take_record(loader, rr, at, scratch);
		ldns_rr_free(rr);
		return st;
	case LDNS_STATUS_SYNTAX_EMPTY:
	case LDNS_STATUS_SYNTAX_TTL: /* these two: read and obeyed */
	case LDNS_STATUS_SYNTAX_ORIGIN:
		return GAZ_OK;
	case LDNS_STATUS_SYNTAX_INCLUDE:
		return fail_at(loader, GAZ_EFORMAT, at,
			       "$INCLUDE is not supported; copy the included lines here");
	case LDNS_STATUS_MEM_ERR:
		return out_of_memory(loader);
	default:
		(void)snprintf(text, sizeof text,
			       "%s; correct the record that starts here (a TTL stands "
			       "before the class)",
			       ldns_get_errorstr_by_id(parsed));
		return fail_at(loader, GAZ_EFORMAT, at, text);
	}
}

static gaz_status read_records(struct loader *loader, FILE *file)
{
	ldns_rdf *origin =
		ldns_dname_new_frm_data((uint16_t)loader->apex_len, loader->apex);
	ldns_rdf *previous = NULL;
	ldns_buffer *scratch = ldns_buffer_new(LDNS_MIN_BUFLEN);
	uint32_t ttl = TTL_DEFAULT;
	int line = 0;
	gaz_status st = origin && scratch ? GAZ_OK : out_of_memory(loader);

	while (st == GAZ_OK) {
		skip_empty_lines(file, &line);
		if (feof(file) || ferror(file))
			break;
		st = read_entry(loader, file, &line, &ttl, &origin, &previous, scratch);
	}
	if (st == GAZ_OK && ferror(file))
		st = gaz_error_set(loader->err, GAZ_EIO,
				   "%s: cannot be read; check the file and the disk",
				   loader->path);
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	ldns_buffer_free(scratch);
	return st;
}

static int compare_sets(const struct entry *a, const struct entry *b)
{
	size_t a_len = dname_len(a->owner);
	size_t b_len = dname_len(b->owner);
	int order = a_len != b_len ? (a_len < b_len ? -1 : 1)
				   : memcmp(a->owner, b->owner, a_len);

	return order ? order : (int)a->type - (int)b->type;
}

static int compare_data(const struct entry *a, const struct entry *b)
{
	if (a->rdata_len != b->rdata_len)
		return (int)a->rdata_len - (int)b->rdata_len;
	return memcmp(a->rdata, b->rdata, a->rdata_len);
}

static int by_set_and_data(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;
	int order = compare_sets(a, b);

	if (order == 0)
		order = compare_data(a, b);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int by_set_and_line(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;
	int order = compare_sets(a, b);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* Bring the records of each set together, in the order of the file and each
 * only once, and give them all the TTL of the first (RFC 2181, section 5.2). */
static void arrange(struct loader *loader)
{
	struct entry *entries = loader->entries;
	size_t kept = 0;

	if (loader->count == 0)
		return;
	qsort(entries, loader->count, sizeof *entries, by_set_and_data);
	for (size_t i = 1; i < loader->count; i++) {
		if (compare_sets(&entries[kept], &entries[i]) != 0 ||
		    compare_data(&entries[kept], &entries[i]) != 0)
			entries[++kept] = entries[i];
	}
	loader->count = kept + 1;
	qsort(entries, loader->count, sizeof *entries, by_set_and_line);
	for (size_t i = 1; i < loader->count; i++) {
		if (compare_sets(&entries[i - 1], &entries[i]) == 0)
			entries[i].ttl = entries[i - 1].ttl;
	}
}

/* What is wrong with a record beside the one before it, or NULL. Whatever
 * shares a name with a CNAME comes right before or right behind it. */
static const char *find_conflict(const struct entry *before, const struct entry *entry)
{
	bool same_type = before->type == entry->type;

	if (!dname_equal(before->owner, entry->owner))
		return NULL;
	if (same_type && entry->type == DNS_TYPE_SOA)
		return "a second SOA record; keep one of them";
	if (same_type && (entry->type == DNS_TYPE_CNAME || entry->type == DNS_TYPE_DNAME))
		return "a second CNAME or DNAME record at this name; keep one of them";
	if (before->type == DNS_TYPE_CNAME || entry->type == DNS_TYPE_CNAME)
		return "a CNAME beside other records of the same name; keep only one "
		       "kind";
	return NULL;
}

static gaz_status check_zone(const struct loader *loader)
{
	bool has_soa = false;
	bool has_ns = false;

	for (size_t i = 0; i < loader->count; i++) {
		const struct entry *entry = &loader->entries[i];
		const struct entry *before = i > 0 ? entry - 1 : entry;
		const char *flaw = i > 0 ? find_conflict(before, entry) : NULL;

		if (flaw)
			return fail_at(loader, GAZ_EFORMAT,
				       entry->line > before->line ? entry->line
								  : before->line,
				       flaw);
		has_soa |= entry->type == DNS_TYPE_SOA;
		has_ns |= entry->type == DNS_TYPE_NS &&
			  dname_equal(entry->owner, loader->apex);
	}
	if (has_soa && has_ns)
		return GAZ_OK;
	return fail_at(loader, GAZ_EFORMAT, 1,
		       has_soa ? "no NS record at the zone's own name; add one"
			       : "no SOA record at the zone's own name; add one");
}

static gaz_status add_entry(struct zonedit *edit, struct zone *zone,
			    const struct entry *entry)
{
	const struct zone_record record = {
		.type = entry->type,
		.rdata_len = entry->rdata_len,
		.ttl = entry->ttl,
		.policy = RRSET_ALL,
		.healthy = true,
		.rdata = entry->rdata,
	};

	return zonedit_add_record(edit, zone, entry->owner, &record);
}

static gaz_status explain_add(const struct loader *loader, gaz_status st, int line)
{
	switch (st) {
	case GAZ_ENOMEM:
		return out_of_memory(loader);
	case GAZ_ELIMIT:
		return fail_at(
			loader, st, line,
			"the records of this name and type are too large together; "
			"remove some");
	case GAZ_EEXISTS:
		return fail_at(
			loader, GAZ_EFORMAT, line,
			"conflicts with other records of the same name; keep only one "
			"kind");
	default:
		return fail_at(loader, st, line, "the record is malformed; correct it");
	}
}

static gaz_status add_zone(const struct loader *loader, struct zonedit *edit)
{
	char id[sizeof "static:" + DNAME_TEXT_SIZE] = "static:";
	const struct zone_spec spec = {
		.id = id,
		.apex = loader->apex,
		.kind = ZONE_STATIC,
	};
	struct zone *zone = NULL;
	gaz_status st;

	/* One zone for one origin: the apex is in lower case. */
	dname_to_text(loader->apex, id + strlen(id));
	st = zonedit_add_zone(edit, &spec, &zone);
	if (st == GAZ_EEXISTS)
		return gaz_error_set(
			loader->err, st,
			"%s: another file has the zone %s already; keep one of "
			"them",
			loader->path, id + strlen("static:"));
	if (st != GAZ_OK)
		return gaz_error_set(loader->err, st, "%s: cannot add the zone: %s",
				     loader->path, gaz_status_text(st));
	for (size_t i = 0; i < loader->count; i++) {
		const struct entry *entry = &loader->entries[i];

		if ((st = add_entry(edit, zone, entry)) == GAZ_OK)
			continue;
		st = explain_add(loader, st, entry->line);
		if (st != GAZ_ENOMEM && zonedit_remove_zone(edit, zone) != GAZ_OK)
			st = out_of_memory(loader);
		break;
	}
	return st;
}

/* Opening must not hang on a named pipe that has no writer. */
static gaz_status open_regular(const struct loader *loader, FILE **out)
{
	int fd = open(loader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	FILE *file;

	if (fd < 0)
		return gaz_error_set(loader->err, GAZ_EIO,
				     "%s: %s; check the path and its permissions",
				     loader->path, strerror(errno));
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		close(fd);
		return gaz_error_set(loader->err, GAZ_EIO,
				     "%s: not a regular file; only those are read",
				     loader->path);
	}
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return out_of_memory(loader);
	}
	*out = file;
	return GAZ_OK;
}

gaz_status zonefile_load(struct zonedit *edit, const char *path, struct gaz_error *err)
{
	struct loader loader = {.path = path, .err = err};
	FILE *file = NULL;
	gaz_status st;

	arena_init(&loader.arena);
	if ((st = read_apex(&loader)) == GAZ_OK &&
	    (st = open_regular(&loader, &file)) == GAZ_OK)
		st = read_records(&loader, file);
	if (st == GAZ_OK) {
		arrange(&loader);
		if ((st = check_zone(&loader)) == GAZ_OK)
			st = add_zone(&loader, edit);
	}
	if (file)
		(void)fclose(file);
	free(loader.entries);
	arena_fini(&loader.arena);
	return st;
}

static int is_zone_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > strlen(suffix) &&
	       strcmp(entry->d_name + len - strlen(suffix), suffix) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Load one file of a directory. Only running out of memory is an error. */
static gaz_status load_member(struct zonedit *edit, const char *dir, const char *name,
			      size_t *loaded)
{
	char path[PATH_MAX];
	char escaped[1024];
	struct gaz_error err;
	struct stat info;
	gaz_status st;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
		return GAZ_OK;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
		return GAZ_OK;
	st = zonefile_load(edit, path, &err);
	if (st == GAZ_OK)
		(*loaded)++;
	else
		log_error(
			"zone-file-left-out", "error=\"%s\"",
			log_escape(err.text, strlen(err.text), escaped, sizeof escaped));
	return st == GAZ_ENOMEM ? st : GAZ_OK;
}

gaz_status zonefile_load_dir(struct zonedit *edit, const char *dir, size_t *loaded_out,
			     struct gaz_error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_zone_file, by_name);
	size_t loaded = 0;
	gaz_status st = GAZ_OK;

	if (count < 0)
		return gaz_error_set(err, errno == ENOMEM ? GAZ_ENOMEM : GAZ_EIO,
				     "%s: %s; check the directory of zone files", dir,
				     strerror(errno));
	for (int i = 0; i < count; i++) {
		if (st == GAZ_OK)
			st = load_member(edit, dir, entries[i]->d_name, &loaded);
		free(entries[i]);
	}
	free(entries);
	if (st != GAZ_OK)
		return gaz_error_set(err, st,
				     "%s: out of memory; free some and try again", dir);
	*loaded_out = loaded;
	return GAZ_OK;
}
