/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "zone/zonedir-internal.h"

/* What there is in a folder of zone files. */

static int is_zone_file(const struct dirent *entry)
{
	static const char suffix[] = ".zone";
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > strlen(suffix) &&
	       strcmp(entry->d_name + len - strlen(suffix), suffix) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static struct file *new_file(const struct zonedir *dir, const char *name)
{
	struct file *file = calloc(1, sizeof *file);
	size_t size;

	if (!file)
		return NULL;
	size = strlen(dir->path) + strlen(name) + 2;
	file->path = malloc(size);
	if (!file->path) {
		free(file);
		return NULL;
	}
	(void)snprintf(file->path, size, "%s/%s", dir->path, name);
	if (zonefile_origin(file->path, file->apex, &file->apex_len) != GAZ_OK)
		file->apex_len = 0;
	return file;
}

void zonedir_free_file(struct file *file)
{
	if (!file)
		return;
	zonebuild_free(&file->build);
	masterlist_fini(&file->stamps);
	free(file->path);
	free(file);
}

static const char *name_of(const struct file *file)
{
	return strrchr(file->path, '/') + 1;
}

static bool is_file(const struct zonedir *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat info;

	return (size_t)snprintf(path, sizeof path, "%s/%s", dir->path, name) <
		       sizeof path &&
	       (stat(path, &info) != 0 || S_ISREG(info.st_mode));
}

static void drop_new(struct file **files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!files[i]->is_listed)
			zonedir_free_file(files[i]);
	}
	free(files);
}

static void use_list(struct zonedir *dir, struct file **files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		files[i]->is_listed = true;
	pthread_mutex_lock(&dir->mutex);
	free(dir->files);
	dir->files = files;
	dir->count = count;
	pthread_mutex_unlock(&dir->mutex);
}

/* The files of before and those that are there now, both in order, become one list. */
static gaz_status merge_files(struct zonedir *dir, struct dirent **entries, size_t count)
{
	struct file **merged = calloc(dir->count + count + 1, sizeof(struct file *));
	size_t old = 0;
	size_t n = 0;

	if (!merged)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		int order = -1;

		if (!is_file(dir, name))
			continue;
		while (old < dir->count &&
		       (order = strcmp(name_of(dir->files[old]), name)) < 0) {
			dir->files[old]->is_gone = true;
			merged[n++] = dir->files[old++];
		}
		if (old < dir->count && order == 0) {
			dir->files[old]->is_gone = false;
			merged[n++] = dir->files[old++];
		} else if ((merged[n] = new_file(dir, name))) {
			n++;
		} else {
			drop_new(merged, n);
			return GAZ_ENOMEM;
		}
	}
	for (; old < dir->count; old++) {
		dir->files[old]->is_gone = true;
		merged[n++] = dir->files[old];
	}
	use_list(dir, merged, n);
	return GAZ_OK;
}

static int by_apex(const void *left, const void *right)
{
	const struct file *a = *(struct file *const *)left;
	const struct file *b = *(struct file *const *)right;
	int order = a->apex_len != b->apex_len ? (a->apex_len < b->apex_len ? -1 : 1)
					       : memcmp(a->apex, b->apex, a->apex_len);

	if (order == 0)
		order = (int)b->is_served - (int)a->is_served;
	return order ? order : strcmp(a->path, b->path);
}

static bool is_same_zone(const struct file *a, const struct file *b)
{
	return a->apex_len > 0 && a->apex_len == b->apex_len &&
	       memcmp(a->apex, b->apex, a->apex_len) == 0;
}

/* The zone of a file that has gone is served on as that of another: it stays until the
 * other has been loaded, and however long that fails. */
static void inherit(struct zonedir *dir, struct file *gone, struct file *heir)
{
	pthread_mutex_lock(&dir->mutex);
	heir->is_served = true;
	heir->loaded_ms = gone->loaded_ms;
	gone->is_served = false;
	pthread_mutex_unlock(&dir->mutex);
}

/* Of several files for one zone (names may differ in case) the one that is served
 * counts, else the first. */
static gaz_status find_twins(struct zonedir *dir)
{
	struct file **sorted = calloc(dir->count + 1, sizeof(struct file *));
	struct file *first = NULL; /* of the zone */
	const struct file *counts = NULL;

	if (!sorted)
		return GAZ_ENOMEM;
	memcpy(sorted, dir->files, dir->count * sizeof(struct file *));
	qsort(sorted, dir->count, sizeof(struct file *), by_apex);
	for (size_t i = 0; i < dir->count; i++) {
		struct file *file = sorted[i];

		if (!first || !is_same_zone(first, file))
			first = file;
		file->is_twin = false;
		if (file->is_gone)
			continue;
		file->is_twin = counts && is_same_zone(counts, file);
		if (file->is_twin)
			continue;
		counts = file;
		if (first->is_gone && first->is_served)
			inherit(dir, first, file);
	}
	free(sorted);
	return GAZ_OK;
}

gaz_status zonedir_scan(struct zonedir *dir, struct gaz_error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(dir->path, &entries, is_zone_file, by_name);
	gaz_status st;

	if (count < 0)
		return gaz_error_set(err, errno == ENOMEM ? GAZ_ENOMEM : GAZ_EIO,
				     "%s: %s; check the directory of zone files",
				     dir->path, strerror(errno));
	st = merge_files(dir, entries, (size_t)count);
	if (st == GAZ_OK)
		st = find_twins(dir);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	if (st != GAZ_OK)
		return gaz_error_set(err, st, "%s: out of memory", dir->path);
	return GAZ_OK;
}
