/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/masterfile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "zone/masterdata.h"
#include "zone/masterfields.h"
#include "zone/mastertext.h"

enum {
	TTL_DEFAULT = 3600,   /* where the file says nothing and has no SOA yet */
	TTL_MAX = 0x7fffffff, /* RFC 2181, section 8 */
	FILES_MAX = UINT16_MAX,
	OPENINGS_MAX = 65535, /* of one zone: few files can include each other for ever */
};

/* A file that is open: the main one, or one that is included. */
struct level {
	struct mastertext *text;
	uint16_t file;
	uint8_t origin[DNAME_MAX];
	size_t origin_len;
	uint8_t owner[DNAME_MAX]; /* the last one; none yet while the length is 0 */
	size_t owner_len;
};

struct reading {
	const struct masterreader *reader;
	struct masterlist *list;
	struct gaz_error *err;
	struct mastertext_room room;
	struct level *levels; /* MASTERFILE_DEPTH_MAX of them */
	size_t depth;
	unsigned openings;  /* so far, each file as often as it was included */
	char *folder;	    /* of the main file, resolved */
	bool has_ttl;	    /* `ttl` was said by $TTL, by a record or by the SOA */
	bool has_directive; /* by $TTL: records do not change it any more */
	uint32_t ttl;
	uint8_t rdata[MASTERFIELDS_DATA_MAX];
};

/* ---- the list of files ---- */

void masterlist_fini(struct masterlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct masterlist){0};
}

static void fill_stamp(struct masterstamp *stamp, const struct stat *info)
{
	stamp->device = info->st_dev;
	stamp->inode = info->st_ino;
	stamp->size = info->st_size;
	stamp->modified = info->st_mtim;
	stamp->changed = info->st_ctim;
}

void masterstamp_take(const char *path, struct masterstamp *out)
{
	struct stat info = {0};

	(void)stat(path, &info);
	fill_stamp(out, &info);
}

/* The number of a file in the list. */
static gaz_status list_file(struct reading *r, const char *path, uint16_t *out)
{
	struct masterlist *list = r->list;
	char *copy;

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].path, path) == 0) {
			*out = (uint16_t)i;
			return GAZ_OK;
		}
	}
	if (list->count == FILES_MAX)
		return GAZ_ELIMIT;
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 2;
		struct masterstamp *grown = reallocarray(list->items, cap, sizeof *grown);

		if (!grown)
			return GAZ_ENOMEM;
		list->items = grown;
		list->cap = cap;
	}
	copy = strdup(path);
	if (!copy)
		return GAZ_ENOMEM;
	list->items[list->count] = (struct masterstamp){.path = copy};
	*out = (uint16_t)list->count++;
	return GAZ_OK;
}

/* ---- errors ---- */

static gaz_status out_of_memory(const struct reading *r)
{
	return gaz_error_set(r->err, GAZ_ENOMEM, "%s: out of memory", r->reader->path);
}

static gaz_status fail_at(const struct reading *r, gaz_status st, uint32_t line,
			  const char *what)
{
	uint16_t file = r->depth > 0 ? r->levels[r->depth - 1].file : 0;

	if (st == GAZ_ENOMEM)
		return out_of_memory(r);
	return gaz_error_set(r->err, st, "%s:%u: %s", r->list->items[file].path, line,
			     what);
}

/* ---- opening ---- */

static bool is_open(const struct reading *r, const struct masterstamp *stamp)
{
	for (size_t i = 0; i < r->depth; i++) {
		const struct masterstamp *other = &r->list->items[r->levels[i].file];

		if (other->device == stamp->device && other->inode == stamp->inode)
			return true;
	}
	return false;
}

/* Open a file as the innermost level. On error `err` says what is wrong with it. */
static gaz_status open_level(struct reading *r, const char *path, struct gaz_error *err)
{
	struct level *level = &r->levels[r->depth];
	struct mastertext *text = NULL;
	struct masterstamp *stamp;
	struct stat info;
	gaz_status st;

	if (r->openings++ == OPENINGS_MAX)
		return gaz_error_set(err, GAZ_ELIMIT,
				     "the zone includes files more than 65535 times; put "
				     "some of them together");
	if ((st = list_file(r, path, &level->file)) != GAZ_OK)
		return gaz_error_set(
			err, st, st == GAZ_ENOMEM ? "out of memory" : "too many files");
	if ((st = mastertext_open(path, r->reader->halt, &text, &info, err)) != GAZ_OK)
		return st;
	stamp = &r->list->items[level->file];
	fill_stamp(stamp, &info);
	if (is_open(r, stamp)) {
		mastertext_close(&text);
		return gaz_error_set(err, GAZ_EFORMAT,
				     "the file includes itself; break the loop");
	}
	level->text = text;
	level->owner_len = 0;
	r->depth++;
	return GAZ_OK;
}

static void close_level(struct reading *r)
{
	mastertext_close(&r->levels[--r->depth].text);
}

static void set_origin(struct level *level, const uint8_t *origin, size_t len)
{
	memcpy(level->origin, origin, len);
	level->origin_len = len;
}

/* ---- directives ---- */

static struct masterfields fields_from(const struct level *level,
				       const struct masterentry *entry, size_t first)
{
	return (struct masterfields){
		.text = entry->text,
		.words = entry->words + first,
		.count = entry->count - first,
		.origin = level->origin,
		.origin_len = level->origin_len,
	};
}

static const char *word_of(const struct masterentry *entry, size_t i)
{
	return entry->text + entry->words[i].at;
}

static gaz_status read_origin(struct reading *r, const struct masterentry *entry,
			      size_t word, uint8_t out[DNAME_MAX], size_t *len_out)
{
	const struct level *level = &r->levels[r->depth - 1];

	if (dname_from_master(word_of(entry, word), entry->words[word].len, level->origin,
			      level->origin_len, out, len_out) == GAZ_OK)
		return GAZ_OK;
	return fail_at(r, GAZ_EFORMAT, entry->line,
		       "the origin is malformed or too long; correct it");
}

static gaz_status do_origin(struct reading *r, const struct masterentry *entry)
{
	struct level *level = &r->levels[r->depth - 1];
	uint8_t origin[DNAME_MAX];
	size_t len = 0;
	gaz_status st;

	if (entry->count != 2)
		return fail_at(r, GAZ_EFORMAT, entry->line, "$ORIGIN wants one name");
	st = read_origin(r, entry, 1, origin, &len);
	if (st == GAZ_OK)
		set_origin(level, origin, len);
	return st;
}

static gaz_status do_ttl(struct reading *r, const struct masterentry *entry)
{
	if (entry->count != 2 ||
	    !masterdata_ttl(word_of(entry, 1), entry->words[1].len, &r->ttl))
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "$TTL wants one number of seconds, such as 3600 or 1h");
	if (r->ttl > TTL_MAX)
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "the TTL is over 2147483647; use a smaller one");
	r->has_ttl = r->has_directive = true;
	return GAZ_OK;
}

static gaz_status fail_to_resolve(struct reading *r, const struct masterentry *entry,
				  const char *path, int error)
{
	gaz_status st = mastertext_status(error);
	char text[128];
	uint16_t ignored; /* listed, so that its coming is noticed */

	if (list_file(r, path, &ignored) == GAZ_ENOMEM)
		return out_of_memory(r);
	if (st == GAZ_ENOTFOUND)
		return fail_at(r, st, entry->line,
			       "$INCLUDE: there is no such file, or no way to it; check "
			       "the path, which is relative to this file");
	(void)snprintf(text, sizeof text, "$INCLUDE: %s", strerror(error));
	return fail_at(r, st, entry->line, text);
}

/* The path as it is to be opened, in a folder that zone files may name. */
static gaz_status resolve(struct reading *r, const struct masterentry *entry,
			  char out[PATH_MAX])
{
	const char *from = r->list->items[r->levels[r->depth - 1].file].path;
	const char *slash = strrchr(from, '/');
	const char *name = word_of(entry, 1);
	size_t folder_len = strlen(r->folder);
	char real[PATH_MAX];
	int len;

	if (name[0] == '/' || !slash)
		len = snprintf(out, PATH_MAX, "%s", name);
	else
		len = snprintf(out, PATH_MAX, "%.*s/%s", (int)(slash - from), from, name);
	if (len >= PATH_MAX)
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "$INCLUDE: the path is too long");
	if (!realpath(out, real))
		return fail_to_resolve(r, entry, out, errno);
	if (strncmp(real, r->folder, folder_len) != 0 ||
	    (real[folder_len] != '/' && strcmp(r->folder, "/") != 0))
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "$INCLUDE: the file lies outside the directory of the "
			       "zone file; copy it there");
	return GAZ_OK;
}

static gaz_status do_include(struct reading *r, const struct masterentry *entry)
{
	struct level *level = &r->levels[r->depth - 1];
	uint8_t origin[DNAME_MAX];
	size_t origin_len = level->origin_len;
	char path[PATH_MAX];
	char text[sizeof r->err->text];
	struct gaz_error inner;
	gaz_status st;

	memcpy(origin, level->origin, origin_len);
	if (entry->count < 2 || entry->count > 3)
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "$INCLUDE wants a file, and may have an origin");
	if (r->depth == MASTERFILE_DEPTH_MAX)
		return fail_at(r, GAZ_ELIMIT, entry->line,
			       "$INCLUDE: files are included 15 deep at most");
	if ((entry->count == 3 &&
	     (st = read_origin(r, entry, 2, origin, &origin_len)) != GAZ_OK) ||
	    (st = resolve(r, entry, path)) != GAZ_OK)
		return st;
	st = open_level(r, path, &inner);
	if (st == GAZ_OK) {
		set_origin(&r->levels[r->depth - 1], origin, origin_len);
		return st;
	}
	(void)snprintf(text, sizeof text, "$INCLUDE: %.400s", inner.text);
	return fail_at(r, st, entry->line, text);
}

static gaz_status do_directive(struct reading *r, const struct masterentry *entry)
{
	const char *word = word_of(entry, 0);

	if (strcasecmp(word, "$ORIGIN") == 0)
		return do_origin(r, entry);
	if (strcasecmp(word, "$TTL") == 0)
		return do_ttl(r, entry);
	if (strcasecmp(word, "$INCLUDE") == 0)
		return do_include(r, entry);
	return fail_at(r, GAZ_EFORMAT, entry->line,
		       "the only directives are $ORIGIN, $TTL and $INCLUDE");
}

/* ---- records ---- */

/* What stands between owner and data, in any order but the type last. */
struct heading {
	bool has_ttl;
	bool has_class;
	uint32_t ttl;
	uint16_t type;
	size_t next; /* the first word of the data */
};

/* 0: no class */
static int read_class(const char *word)
{
	static const char *const others[] = {"CH", "HS", "CS", "NONE", "ANY"};

	if (strcasecmp(word, "IN") == 0 || strcasecmp(word, "CLASS1") == 0)
		return DNS_CLASS_IN;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (strcasecmp(word, others[i]) == 0)
			return -1;
	}
	return strncasecmp(word, "CLASS", 5) == 0 ? -1 : 0;
}

static gaz_status read_heading(struct reading *r, const struct masterentry *entry,
			       struct heading *h)
{
	*h = (struct heading){.next = entry->has_owner ? 1 : 0};
	for (; h->next < entry->count; h->next++) {
		const char *word = word_of(entry, h->next);
		size_t len = entry->words[h->next].len;
		int class = 0;

		if (!h->has_ttl && *word >= '0' && *word <= '9' &&
		    masterdata_ttl(word, len, &h->ttl)) {
			h->has_ttl = true;
			continue;
		}
		if (!h->has_class && len > 1)
			class = read_class(word);
		if (class < 0)
			return fail_at(r, GAZ_EFORMAT, entry->line,
				       "the class is not IN; only class IN is served, "
				       "remove the record");
		if (class == 0)
			break;
		h->has_class = true;
	}
	if (h->next == entry->count)
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "the record has no type; correct it");
	h->type = masterdata_type(word_of(entry, h->next), entry->words[h->next].len);
	h->next++;
	if (h->type == 0)
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "there is no such type of record; correct it (what has no "
			       "name is written as TYPE65280)");
	if (!dns_type_is_data(h->type))
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "this type cannot be stored in a zone; remove the record");
	if (h->has_ttl && h->ttl > TTL_MAX)
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "the TTL is over 2147483647; use a smaller one");
	return GAZ_OK;
}

/* The record's own TTL, else that of $TTL (RFC 2308, section 4), else that of the last
 * record that had one (RFC 1035, section 5.1), else the SOA's last field. */
static uint32_t choose_ttl(struct reading *r, const struct heading *h,
			   const uint8_t *rdata, size_t rdata_len)
{
	uint32_t ttl = h->has_ttl ? h->ttl : r->has_ttl ? r->ttl : (uint32_t)TTL_DEFAULT;

	if (!h->has_ttl && !r->has_ttl && h->type == DNS_TYPE_SOA) {
		ttl = wire_get_u32(rdata + rdata_len - 4);
		ttl = ttl > TTL_MAX ? TTL_MAX : ttl;
	}
	if (!r->has_directive && (h->has_ttl || h->type == DNS_TYPE_SOA)) {
		r->ttl = ttl;
		r->has_ttl = true;
	}
	return ttl;
}

static gaz_status read_owner(struct reading *r, const struct masterentry *entry)
{
	struct level *level = &r->levels[r->depth - 1];
	uint8_t owner[DNAME_MAX];
	size_t len = 0;

	if (!entry->has_owner) {
		if (level->owner_len > 0)
			return GAZ_OK;
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "the first record of a file has no owner; write its name "
			       "at the very beginning of the line");
	}
	if (dname_from_master(word_of(entry, 0), entry->words[0].len, level->origin,
			      level->origin_len, owner, &len) != GAZ_OK)
		return fail_at(r, GAZ_EFORMAT, entry->line,
			       "the owner's name is malformed or too long; correct it");
	dname_lower(level->owner, owner, len);
	level->owner_len = len;
	return GAZ_OK;
}

static gaz_status do_record(struct reading *r, const struct masterentry *entry)
{
	const struct level *level = &r->levels[r->depth - 1];
	struct masterrecord record = {.line = entry->line, .file = level->file};
	struct masterfields fields;
	struct heading heading;
	const char *what = NULL;
	size_t rdata_len = 0;
	gaz_status st;

	if ((st = read_owner(r, entry)) != GAZ_OK ||
	    (st = read_heading(r, entry, &heading)) != GAZ_OK)
		return st;
	fields = fields_from(level, entry, heading.next);
	st = masterdata_read(heading.type, &fields, r->rdata, &rdata_len, &what);
	if (st != GAZ_OK)
		return fail_at(r, st, entry->line, what);
	record.owner = level->owner;
	record.owner_len = level->owner_len;
	record.rdata = r->rdata;
	record.rdata_len = (uint16_t)rdata_len;
	record.type = heading.type;
	record.ttl = choose_ttl(r, &heading, r->rdata, rdata_len);
	return r->reader->take(r->reader->arg, &record);
}

static gaz_status read_entries(struct reading *r)
{
	gaz_status st = GAZ_OK;

	while (st == GAZ_OK && r->depth > 0) {
		struct mastertext *text = r->levels[r->depth - 1].text;
		struct masterentry entry;
		const char *what = NULL;
		uint32_t line = 0;

		st = mastertext_next(text, &r->room, &entry, &what, &line);
		if (st == GAZ_ENOTFOUND) {
			close_level(r);
			st = GAZ_OK;
		} else if (st == GAZ_EIO) {
			st = fail_at(r, st, 1,
				     "the file cannot be read; check it and the disk");
		} else if (st == GAZ_EBUSY) {
			st = gaz_error_set(r->err, st, "%s: not read to its end",
					   r->reader->path);
		} else if (st != GAZ_OK) {
			st = fail_at(r, st, line, what);
		} else if (entry.has_owner && *word_of(&entry, 0) == '$' &&
			   !entry.words[0].is_quoted) {
			st = do_directive(r, &entry);
		} else {
			st = do_record(r, &entry);
		}
	}
	return st;
}

/* The folder that included files must be in. */
static gaz_status find_folder(struct reading *r)
{
	const char *path = r->reader->path;
	const char *slash = strrchr(path, '/');
	char *folder = slash == path ? strdup("/")
		       : slash	     ? strndup(path, (size_t)(slash - path))
				     : strdup(".");
	int error;

	if (!folder)
		return GAZ_ENOMEM;
	r->folder = realpath(folder, NULL);
	error = errno;
	free(folder);
	if (!r->folder)
		return gaz_error_set(r->err, mastertext_status(error),
				     "%s: there is no way to it: %s", path,
				     strerror(error));
	return GAZ_OK;
}

static gaz_status open_main(struct reading *r)
{
	const struct masterreader *reader = r->reader;
	struct gaz_error inner;
	gaz_status st = find_folder(r);

	if (st != GAZ_OK)
		return st == GAZ_ENOMEM ? out_of_memory(r) : st;
	st = open_level(r, reader->path, &inner);
	if (st != GAZ_OK)
		return gaz_error_set(r->err, st, "%s: %s", reader->path, inner.text);
	set_origin(&r->levels[0], reader->origin, reader->origin_len);
	return GAZ_OK;
}

gaz_status masterfile_read(const struct masterreader *reader, struct masterlist *list,
			   struct gaz_error *err)
{
	struct reading *r = malloc(sizeof *r);
	gaz_status st;

	if (!r)
		return gaz_error_set(err, GAZ_ENOMEM, "%s: out of memory", reader->path);
	memset(r, 0, offsetof(struct reading, rdata));
	r->reader = reader;
	r->list = list;
	r->err = err;
	r->levels = calloc(MASTERFILE_DEPTH_MAX, sizeof *r->levels);
	st = r->levels ? open_main(r) : out_of_memory(r);
	if (st == GAZ_OK)
		st = read_entries(r);
	while (r->depth > 0)
		close_level(r);
	mastertext_room_fini(&r->room);
	free(r->levels);
	free(r->folder);
	free(r);
	return st;
}
