/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/resolver_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/path.h"

static const char state_dir[] = "/var/lib/gazetteer-resolver";
static const char state_file[] = "/var/lib/gazetteer-resolver/state.json";

enum {
	STATE_VERSION = 1, /* of state.json; another one is refused */
	BACKUP_SIZE = sizeof state_dir + 32,
};

static const char *const kind_names[] = {
	[TREE_NOTHING] = "nothing", [TREE_FILE] = "file", [TREE_LINK] = "link"};

static char *backup_path(size_t i, const char *what, char out[BACKUP_SIZE])
{
	(void)snprintf(out, BACKUP_SIZE, "%s/%zu.%s", state_dir, i, what);
	return out;
}

static gaz_status no_memory(struct gaz_error *err)
{
	return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
}

/* ---- reading ---- */

static gaz_status damaged(struct gaz_error *err)
{
	return gaz_error_set(err, GAZ_EFORMAT,
			     "%s is damaged, or of another version; put the files back "
			     "from the copies beside it by hand, then remove that "
			     "directory",
			     state_file);
}

static bool read_kind(const json_t *object, enum tree_kind *out)
{
	const char *text = json_string_value(json_object_get(object, "Kind"));

	for (size_t i = 0; text && i < sizeof kind_names / sizeof *kind_names; i++) {
		if (strcmp(kind_names[i], text) == 0) {
			*out = (enum tree_kind)i;
			return true;
		}
	}
	return false;
}

/* One side of a file: what state.json says of it, and the bytes of its copy. */
static gaz_status read_entry(const struct tree *tree, const json_t *object, size_t i,
			     const char *what, struct tree_entry *out,
			     struct gaz_error *err)
{
	char path[BACKUP_SIZE];
	enum tree_kind kind;
	gaz_status st;

	if (!read_kind(object, &kind))
		return damaged(err);
	if (kind == TREE_NOTHING)
		return GAZ_OK;
	st = tree_look(tree, backup_path(i, what, path), out, err);
	if (st == GAZ_OK && out->kind != TREE_FILE)
		st = damaged(err);
	out->kind = kind;
	out->mode = (mode_t)json_integer_value(json_object_get(object, "Mode"));
	out->uid = (uid_t)json_integer_value(json_object_get(object, "Uid"));
	out->gid = (gid_t)json_integer_value(json_object_get(object, "Gid"));
	return st;
}

static gaz_status read_files(const struct tree *tree, struct state *state,
			     struct gaz_error *err)
{
	const json_t *files = json_object_get(state->root, "Files");
	gaz_status st = GAZ_OK;
	const json_t *item;
	size_t i;

	if (json_array_size(files) > PLAN_CHANGES_MAX)
		return damaged(err);
	json_array_foreach((json_t *)(uintptr_t)files, i, item)
	{
		struct state_file *file = &state->files[i];
		const char *path = json_string_value(json_object_get(item, "Path"));

		if (!path || *path != '/')
			return damaged(err);
		file->path = strdup(path);
		if (!file->path)
			return no_memory(err);
		state->file_count++;
		st = read_entry(tree, json_object_get(item, "Before"), i, "before",
				&file->before, err);
		if (st == GAZ_OK)
			st = read_entry(tree, json_object_get(item, "After"), i, "after",
					&file->after, err);
		if (st != GAZ_OK)
			break;
	}
	return st;
}

gaz_status state_load(const struct tree *tree, struct state *out, struct gaz_error *err)
{
	struct tree_entry entry;
	const char *method;
	gaz_status st = tree_look(tree, state_file, &entry, err);

	*out = (struct state){0};
	if (st != GAZ_OK || entry.kind == TREE_NOTHING)
		return st;
	out->root = json_loadb(entry.data ? entry.data : "", entry.len, 0, NULL);
	tree_entry_fini(&entry);
	method = json_string_value(json_object_get(out->root, "Method"));
	out->method = method ? plan_find_method(method) : NULL;
	out->server = json_string_value(json_object_get(out->root, "Server"));
	if (!out->method || !out->server ||
	    json_integer_value(json_object_get(out->root, "Version")) != STATE_VERSION)
		return damaged(err);
	return read_files(tree, out, err);
}

void state_fini(struct state *state)
{
	for (size_t i = 0; i < state->file_count; i++) {
		free(state->files[i].path);
		tree_entry_fini(&state->files[i].before);
		tree_entry_fini(&state->files[i].after);
	}
	json_decref(state->root);
	*state = (struct state){0};
}

gaz_status state_judge(const struct tree *tree, const struct state_file *file,
		       enum state_verdict *out, struct gaz_error *err)
{
	struct tree_entry now;
	gaz_status st = tree_look(tree, file->path, &now, err);

	if (st != GAZ_OK)
		return st;
	*out = tree_entry_equals(&now, &file->after, false)    ? STATE_IN_PLACE
	       : tree_entry_equals(&now, &file->before, false) ? STATE_UNTOUCHED
							       : STATE_CHANGED;
	tree_entry_fini(&now);
	return GAZ_OK;
}

bool state_is_for(const struct state *state, const struct plan_method *method,
		  const struct plan_request *request)
{
	const json_t *domains = json_object_get(state->root, "Domains");
	char server[NETADDR_TEXT_SIZE];

	netaddr_print_endpoint((const struct sockaddr *)&request->server, server);
	if (!state->root || state->method != method ||
	    strcmp(state->server, server) != 0 ||
	    json_array_size(domains) != request->domain_count)
		return false;
	for (size_t i = 0; i < request->domain_count; i++) {
		const char *one = json_string_value(json_array_get(domains, i));

		if (!one || strcmp(one, request->domains[i]) != 0)
			return false;
	}
	return true;
}

/* ---- writing ---- */

/* Make the directories that lead to a path, and note those that were not there. */
static gaz_status make_parents(const struct tree *tree, const char *path, mode_t mode,
			       json_t *made, struct gaz_error *err)
{
	char part[PATH_SIZE];

	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		gaz_status st;

		(void)snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
		if (tree_exists(tree, part))
			continue;
		st = tree_mkdir(tree, part, mode, err);
		if (st != GAZ_OK && st != GAZ_EEXISTS)
			return st;
		if (st == GAZ_OK && json_array_append_new(made, json_string(part)) != 0)
			return no_memory(err);
	}
	return GAZ_OK;
}

static json_t *describe(const struct tree_entry *entry)
{
	return json_pack("{s:s, s:i, s:i, s:i}", "Kind", kind_names[entry->kind], "Mode",
			 (int)entry->mode, "Uid", (int)entry->uid, "Gid",
			 (int)entry->gid);
}

static gaz_status write_private(const struct tree *tree, const char *path, char *data,
				size_t len, struct gaz_error *err)
{
	const struct tree_entry entry = {.kind = TREE_FILE,
					 .mode = 0600,
					 .uid = geteuid(),
					 .gid = getegid(),
					 .data = data,
					 .len = len};

	return tree_put(tree, path, &entry, err);
}

static gaz_status write_copies(const struct tree *tree, const struct plan *plan,
			       json_t *files, struct gaz_error *err)
{
	char path[BACKUP_SIZE];
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (change->before.kind != TREE_NOTHING)
			st = write_private(tree, backup_path(i, "before", path),
					   change->before.data, change->before.len, err);
		if (st == GAZ_OK)
			st = write_private(tree, backup_path(i, "after", path),
					   change->after.data, change->after.len, err);
		if (st == GAZ_OK &&
		    json_array_append_new(
			    files, json_pack("{s:s, s:o, s:o}", "Path", change->path,
					     "Before", describe(&change->before), "After",
					     describe(&change->after))) != 0)
			st = no_memory(err);
	}
	return st;
}

static gaz_status write_state(const struct tree *tree, json_t *root,
			      struct gaz_error *err)
{
	char *text = json_dumps(root, JSON_INDENT(2));
	gaz_status st;

	if (!text)
		return no_memory(err);
	st = write_private(tree, state_file, text, strlen(text), err);
	free(text);
	return st;
}

static json_t *new_state(const struct plan *plan, const struct plan_request *request)
{
	json_t *domains = json_array();
	char server[NETADDR_TEXT_SIZE];

	for (size_t i = 0; i < request->domain_count; i++)
		json_array_append_new(domains, json_string(request->domains[i]));
	netaddr_print_endpoint((const struct sockaddr *)&request->server, server);
	return json_pack("{s:i, s:s, s:s, s:o, s:[], s:[]}", "Version", STATE_VERSION,
			 "Method", plan->method->name, "Server", server, "Domains",
			 domains, "Files", "Directories");
}

/* Everything is noted before the first file of the machine changes: the directories, as
 * these are not worth a note that is too late. */
static gaz_status write_all(const struct tree *tree, const struct plan *plan,
			    json_t *root, struct gaz_error *err)
{
	json_t *made = json_object_get(root, "Directories");
	json_t *own = json_array();
	gaz_status st = make_parents(tree, state_file, 0755, own, err);

	json_decref(own);
	if (st == GAZ_OK)
		st = write_copies(tree, plan, json_object_get(root, "Files"), err);
	for (size_t i = 0; st == GAZ_OK && i < plan->change_count; i++)
		st = make_parents(tree, plan->changes[i].path, 0755, made, err);
	if (st == GAZ_OK)
		st = write_state(tree, root, err);
	for (size_t i = 0; st == GAZ_OK && i < plan->change_count; i++)
		st = tree_put(tree, plan->changes[i].path, &plan->changes[i].after, err);
	return st;
}

/* After a failure: back to how it was. */
static void undo(const struct tree *tree, const struct plan *plan, json_t *root)
{
	const struct state state = {.root = root, .file_count = plan->change_count};
	bool ok = true;

	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];
		struct tree_entry now;

		if (tree_look(tree, change->path, &now, NULL) == GAZ_OK &&
		    tree_entry_equals(&now, &change->after, false))
			ok = tree_put(tree, change->path, &change->before, NULL) ==
				     GAZ_OK &&
			     ok;
		else if (!tree_entry_equals(&now, &change->before, false))
			ok = false;
		tree_entry_fini(&now);
	}
	if (ok) /* else the copies stay, for "resolver remove" */
		state_forget(tree, &state);
}

gaz_status state_apply(const struct tree *tree, const struct plan *plan,
		       const struct plan_request *request, struct gaz_error *err)
{
	json_t *root = new_state(plan, request);
	gaz_status st;

	if (!root)
		return no_memory(err);
	st = write_all(tree, plan, root, err);
	if (st != GAZ_OK)
		undo(tree, plan, root);
	json_decref(root);
	return st;
}

gaz_status state_restore(const struct tree *tree, const struct state_file *file,
			 struct gaz_error *err)
{
	return tree_put(tree, file->path, &file->before, err);
}

/* What cannot be removed is in nobody's way. */
static void drop(const struct tree *tree, const char *path)
{
	const struct tree_entry nothing = {.kind = TREE_NOTHING};

	if (tree_put(tree, path, &nothing, NULL) != GAZ_OK)
		return;
}

void state_forget(const struct tree *tree, const struct state *state)
{
	const json_t *made = json_object_get(state->root, "Directories");
	char path[BACKUP_SIZE];

	/* state.json first: what is left of the rest means nothing without it. */
	drop(tree, state_file);
	for (size_t i = 0; i < state->file_count; i++) {
		drop(tree, backup_path(i, "before", path));
		drop(tree, backup_path(i, "after", path));
	}
	for (size_t i = json_array_size(made); i > 0; i--)
		tree_rmdir(tree, json_string_value(json_array_get(made, i - 1)));
	tree_rmdir(tree, state_dir);
}
