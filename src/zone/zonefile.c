/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonefile.h"

#include <stdio.h>
#include <string.h>

#include "zone/zonebuild.h"
#include "zone/zonedit.h"

static const char suffix[] = ".zone";

struct loading {
	const char *path;
	struct zonefile_report *report;
	struct zonebuild *build;
	struct gaz_error *err;
};

gaz_status zonefile_origin(const char *path, uint8_t out[DNAME_MAX], size_t *len_out)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t len = strlen(base);
	char text[256] = "";

	if (len > strlen(suffix) && strcmp(base + len - strlen(suffix), suffix) == 0 &&
	    len - strlen(suffix) < sizeof text)
		memcpy(text, base, len - strlen(suffix));
	if (text[0] == '\0' || dname_from_text(strcmp(text, "root") == 0 ? "." : text,
					       out, len_out) != GAZ_OK)
		return GAZ_EFORMAT;
	dname_lower(out, out, *len_out);
	return GAZ_OK;
}

char *zonefile_id(const uint8_t *apex, char out[ZONEFILE_ID_SIZE])
{
	memcpy(out, "static:", sizeof "static:");
	(void)dname_to_text(apex, out + strlen(out));
	return out;
}

void zonefile_report_fini(struct zonefile_report *report)
{
	masterlist_fini(&report->files);
}

static gaz_status out_of_memory(const struct loading *l)
{
	return gaz_error_set(l->err, GAZ_ENOMEM, "%s: out of memory", l->path);
}

static const char *path_of(const struct loading *l, uint16_t file)
{
	return file < l->report->files.count ? l->report->files.items[file].path
					     : l->path;
}

static void print_flaw(const struct loading *l, const struct zonebuild_flaw *flaw,
		       struct gaz_error *out, gaz_status st)
{
	gaz_error_set(out, st, "%s:%u: %s", path_of(l, flaw->file),
		      flaw->line ? flaw->line : 1, flaw->text);
}

static void on_flaw(void *arg, const struct zonebuild_flaw *flaw)
{
	const struct loading *l = arg;
	struct gaz_error text;

	l->report->warnings++;
	print_flaw(l, flaw, &text, GAZ_OK);
	if (l->report->warn)
		l->report->warn(l->report->arg, text.text);
}

static gaz_status on_record(void *arg, const struct masterrecord *r)
{
	const struct loading *l = arg;
	const struct zonebuild_record record = {
		.owner = r->owner,
		.owner_len = r->owner_len,
		.rdata = r->rdata,
		.ttl = r->ttl,
		.line = r->line,
		.file = r->file,
		.type = r->type,
		.rdata_len = r->rdata_len,
	};
	gaz_status st = zonebuild_add(l->build, &record);

	if (st == GAZ_EFORMAT) {
		const struct zonebuild_flaw flaw = {
			r->file, r->line,
			"the name is outside the zone: the record is left out; check for "
			"a missing or extra final dot"};

		on_flaw(arg, &flaw);
		return GAZ_OK;
	}
	return st == GAZ_OK ? st : out_of_memory(l);
}

static gaz_status read_zone(struct loading *l, const uint8_t *apex, size_t apex_len)
{
	const struct masterreader reader = {
		.path = l->path,
		.origin = apex,
		.origin_len = apex_len,
		.take = on_record,
		.arg = l,
		.halt = l->report->halt,
	};
	struct zonebuild_flaw flaw = {0};
	gaz_status st;

	if ((st = masterfile_read(&reader, &l->report->files, l->err)) != GAZ_OK)
		return st;
	if ((st = zonebuild_check(l->build, on_flaw, l, &flaw)) == GAZ_OK)
		st = zonebuild_render(l->build, l->report->halt, &flaw);
	if (st == GAZ_ENOMEM)
		return out_of_memory(l);
	if (st == GAZ_EBUSY)
		gaz_error_set(l->err, st, "%s: not rendered", l->path);
	else if (st != GAZ_OK)
		print_flaw(l, &flaw, l->err, st);
	return st;
}

gaz_status zonefile_build(struct zonedb *db, const char *path,
			  struct zonefile_report *report, struct zonebuild **out,
			  struct gaz_error *err)
{
	struct loading l = {.path = path, .report = report, .err = err};
	char id[ZONEFILE_ID_SIZE];
	uint8_t apex[DNAME_MAX];
	size_t apex_len = 0;
	gaz_status st;

	if (zonefile_origin(path, apex, &apex_len) != GAZ_OK)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "%s: the file's name is not that of a zone; name it "
				     "<origin>.zone, such as example.org.zone",
				     path);
	const struct zone_spec spec = {zonefile_id(apex, id), apex, ZONE_STATIC, NULL, 0};

	if (zonebuild_new(db, &spec, &l.build) != GAZ_OK)
		return out_of_memory(&l);
	st = read_zone(&l, apex, apex_len);
	if (st == GAZ_OK)
		*out = l.build;
	else
		zonebuild_free(&l.build);
	return st;
}
