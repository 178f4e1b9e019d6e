/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "gazctl/command.h"
#include "gazctl/resolver_state.h"

/* Makes the machine's resolver ask gazetteerd, and undoes that. */

extern char **environ;

static int report(const struct gaz_error *err)
{
	return ctl_report("%s", err->text);
}

/* ---- the request ---- */

/* Who listens on all addresses is asked on loopback. */
static void aim_at_loopback(struct sockaddr_storage *addr)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)addr;

	if (addr->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (addr->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
}

static bool suits(const struct plan_method *method, const struct sockaddr_storage *addr)
{
	return method->routes ||
	       ((const struct sockaddr_in *)addr)->sin_port == htons(53);
}

/* The first of the daemon's addresses that this method can name. */
static int choose_server(const char *addresses, const struct plan_method *method,
			 struct sockaddr_storage *out)
{
	char *copy = strdup(addresses), *rest = copy, *text;
	bool found = false;

	while (!found && (text = strsep(&rest, ",")) != NULL)
		found = netaddr_parse_endpoint(text, 53, out) == GAZ_OK &&
			suits(method, out);
	free(copy);
	if (found)
		return CTL_OK;
	return ctl_report("gazetteerd listens on %s, and resolv.conf knows port 53 only: "
			  "run it with --listen 127.0.53.1:53 as well",
			  addresses);
}

static int ask_for_server(const struct ctl *ctl, const struct plan_method *method,
			  struct sockaddr_storage *out)
{
	json_t *reply;
	int rc;

	if (client_call(&ctl->client, "Gazetteer.GetStatus", json_object(), &reply) !=
	    GAZ_OK)
		return ctl_report("the daemon tells its address when it runs; else give "
				  "--server ADDR:PORT");
	rc = choose_server(table_text(reply, "Status.DnsAddresses"), method, out);
	json_decref(reply);
	return rc;
}

static int read_server(const struct ctl *ctl, const struct args *args,
		       const struct plan_method *method, struct plan_request *out)
{
	const char *text = args_value(args, "server");
	int rc = CTL_OK;

	if (!text)
		rc = ask_for_server(ctl, method, &out->server);
	else if (netaddr_parse_endpoint(text, 53, &out->server) != GAZ_OK) {
		ctl_report("--server wants ADDR[:PORT], such as 127.0.0.1:10053, not %s",
			   text);
		return CTL_USAGE;
	}
	aim_at_loopback(&out->server);
	return rc;
}

static int add_domain(const char *text, struct plan_request *out)
{
	if (out->domain_count == PLAN_DOMAINS_MAX)
		return ctl_report("more than %d domains", PLAN_DOMAINS_MAX);
	if (plan_read_domain(text, out->domains[out->domain_count]) != GAZ_OK)
		return ctl_report("%s cannot be a domain of a resolver; name others with "
				  "--domain",
				  text);
	for (size_t i = 0; i < out->domain_count; i++) {
		if (strcmp(out->domains[i], out->domains[out->domain_count]) == 0)
			return CTL_OK;
	}
	out->domain_count++;
	return CTL_OK;
}

/* Those of the namespaces that DNS can see. */
static int ask_for_domains(const struct ctl *ctl, struct plan_request *out)
{
	json_t *reply, *item;
	int rc = CTL_OK;
	size_t i;

	if (client_call_list(&ctl->client, "ListNamespaces", json_object(), "Namespaces",
			     &reply) != GAZ_OK)
		return ctl_report("the daemon tells its namespaces when it runs; else "
				  "give --domain SUFFIX");
	json_array_foreach(json_object_get(reply, "Namespaces"), i, item)
	{
		if (rc == CTL_OK && strcmp(table_text(item, "Type"), "HTTP") != 0)
			rc = add_domain(table_text(item, "Name"), out);
	}
	json_decref(reply);
	if (rc == CTL_OK && out->domain_count == 0)
		return ctl_report("there is no namespace with DNS yet; name the domains "
				  "to come: --domain SUFFIX");
	return rc;
}

static int read_domains(const struct ctl *ctl, const struct args *args,
			const struct plan_method *method, struct plan_request *out)
{
	const char *text;
	size_t at = 0;
	int rc = CTL_OK;

	if (!method->routes) {
		if (args_value(args, "domain"))
			return ctl_report("%s cannot send some domains to a server, only "
					  "everything: leave --domain away, and run "
					  "gazetteerd with --forward for the rest",
					  method->name);
		return CTL_OK;
	}
	while (rc == CTL_OK && (text = args_next_value(args, "domain", &at)))
		rc = add_domain(text, out);
	if (rc == CTL_OK && out->domain_count == 0)
		rc = ask_for_domains(ctl, out);
	return rc;
}

static int choose_method(const struct args *args, const struct tree *tree,
			 const struct plan_method **out)
{
	const char *name = args_value(args, "method");

	*out = name ? plan_find_method(name) : plan_detect_method(tree);
	if (*out)
		return CTL_OK;
	ctl_report("--method wants systemd-resolved, networkmanager, resolvconf or "
		   "resolv.conf, not %s",
		   name);
	return CTL_USAGE;
}

/* ---- telling ---- */

static char *join_command(const struct plan_method *method, char out[128])
{
	*out = '\0';
	for (size_t i = 0; method->command && method->command[i]; i++)
		(void)snprintf(out + strlen(out), 128 - strlen(out), "%s%s", i ? " " : "",
			       method->command[i]);
	return out;
}

static void print_lines(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("    %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_change(const struct plan_change *change)
{
	if (change->before.kind == TREE_LINK)
		printf("  %s: replace the link to %s by\n", change->path,
		       change->before.data);
	else
		printf("  %s: %s\n", change->path,
		       change->before.kind == TREE_FILE ? "replace the content by"
							: "write");
	print_lines(change->after.data);
}

static const char *kind_text(enum tree_kind kind)
{
	return kind == TREE_FILE ? "file" : kind == TREE_LINK ? "link" : "nothing";
}

static json_t *describe_plan(const struct plan *plan, bool dry_run)
{
	json_t *changes = json_array();
	char command[128];

	for (size_t i = 0; i < plan->change_count; i++)
		json_array_append_new(changes,
				      json_pack("{s:s, s:s, s:s}", "Path",
						plan->changes[i].path, "Before",
						kind_text(plan->changes[i].before.kind),
						"Content", plan->changes[i].after.data));
	return json_pack("{s:s, s:o, s:s, s:b}", "Method", plan->method->name, "Changes",
			 changes, "Command", join_command(plan->method, command),
			 "Installed", !dry_run);
}

static void print_plan(const struct plan *plan)
{
	char command[128];

	printf("method: %s\n", plan->method->name);
	for (size_t i = 0; i < plan->change_count; i++)
		print_change(&plan->changes[i]);
	if (plan->method->command)
		printf("  then: %s\n", join_command(plan->method, command));
}

/* Only on the machine itself: a tree has no services. */
static int run_command(const struct tree *tree, const struct plan_method *method)
{
	char text[128];
	int status = 0;
	pid_t pid;

	if (!tree->is_machine || !method->command)
		return CTL_OK;
	if (posix_spawnp(&pid, method->command[0], NULL, NULL,
			 (char *const *)(uintptr_t)method->command, environ) == 0 &&
	    waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0)
		return CTL_OK;
	return ctl_report("the files are in place, but \"%s\" failed: run it by hand",
			  join_command(method, text));
}

/* ---- install ---- */

static int apply(const struct ctl *ctl, const struct tree *tree, const struct plan *plan,
		 const struct plan_request *request, bool dry_run)
{
	struct gaz_error err;
	json_t *result;
	int rc = CTL_OK;

	if (!ctl->json)
		print_plan(plan);
	if (!dry_run && state_apply(tree, plan, request, &err) != GAZ_OK)
		return report(&err);
	if (!dry_run)
		rc = run_command(tree, plan->method);
	if (!ctl->json) {
		printf(dry_run ? "nothing was changed: --dry-run\n"
			       : "installed; see whether it works: gazctl doctor; to "
				 "undo it: gazctl resolver remove\n");
		return rc;
	}
	result = describe_plan(plan, dry_run);
	if (!result || ctl_print_json(result) != CTL_OK)
		rc = CTL_FAILED;
	json_decref(result);
	return rc;
}

static int check_in_place(const struct tree *tree, const struct state *state)
{
	for (size_t i = 0; i < state->file_count; i++) {
		enum state_verdict verdict;
		struct gaz_error err;

		if (state_judge(tree, &state->files[i], &verdict, &err) != GAZ_OK)
			return report(&err);
		if (verdict != STATE_IN_PLACE)
			return ctl_report("%s was changed since it was installed; first: "
					  "gazctl resolver remove",
					  state->files[i].path);
	}
	return CTL_OK;
}

static int already_there(const struct ctl *ctl, const struct tree *tree,
			 const struct state *state, const struct plan_method *method,
			 const struct plan_request *request)
{
	int rc;

	if (!state_is_for(state, method, request))
		return ctl_report(
			"installed already, for another server, method or other "
			"domains (gazctl resolver status); first: gazctl "
			"resolver remove");
	rc = check_in_place(tree, state);
	if (rc != CTL_OK || !ctl->json) {
		if (rc == CTL_OK)
			printf("installed already: nothing to do\n");
		return rc;
	}
	return ctl_print_json(state->root);
}

static int install_in(const struct ctl *ctl, const struct args *args,
		      const struct tree *tree, struct state *state)
{
	static struct plan_request request; /* too large for the stack */
	const struct plan_method *method;
	struct plan plan = {0};
	struct gaz_error err;
	int rc;

	if (state->root && !args_value(args, "method"))
		method = state->method; /* what it rules now is our own doing */
	else if ((rc = choose_method(args, tree, &method)) != CTL_OK)
		return rc;
	if ((rc = read_server(ctl, args, method, &request)) != CTL_OK ||
	    (rc = read_domains(ctl, args, method, &request)) != CTL_OK)
		return rc;
	if (state->root)
		return already_there(ctl, tree, state, method, &request);
	if (plan_make(tree, method, &request, &plan, &err) == GAZ_OK)
		rc = apply(ctl, tree, &plan, &request,
			   args_value(args, "dry-run") != NULL);
	else
		rc = report(&err);
	plan_fini(&plan);
	return rc;
}

/* Opens the tree and its state for a command. */
static int with_state(const struct ctl *ctl, const struct args *args,
		      int (*work)(const struct ctl *, const struct args *,
				  const struct tree *, struct state *))
{
	struct state state = {0};
	struct gaz_error err;
	struct tree tree;
	int rc;

	if (tree_open(args_value(args, "root"), &tree, &err) != GAZ_OK)
		return report(&err);
	if (state_load(&tree, &state, &err) == GAZ_OK)
		rc = work(ctl, args, &tree, &state);
	else
		rc = report(&err);
	state_fini(&state);
	tree_close(&tree);
	return rc;
}

int cmd_resolver_install(const struct ctl *ctl, const struct args *args)
{
	return with_state(ctl, args, install_in);
}

/* ---- remove ---- */

static int refuse_changed(const char *path)
{
	return ctl_report(
		"%s was changed by somebody else since it was installed, a DHCP "
		"client or NetworkManager perhaps; keep that file as it is now "
		"and undo the rest with --keep-changed, or put the old one back "
		"with --force",
		path);
}

/* What is to become of each file; nothing is changed before all have been seen. */
static int judge_all(const struct args *args, const struct tree *tree,
		     const struct state *state, bool restore[PLAN_CHANGES_MAX])
{
	bool keep = args_value(args, "keep-changed") != NULL;
	bool force = args_value(args, "force") != NULL;

	if (keep && force) {
		ctl_report("--keep-changed and --force exclude each other");
		return CTL_USAGE;
	}
	for (size_t i = 0; i < state->file_count; i++) {
		enum state_verdict verdict;
		struct gaz_error err;

		if (state_judge(tree, &state->files[i], &verdict, &err) != GAZ_OK)
			return report(&err);
		if (verdict == STATE_CHANGED && !keep && !force)
			return refuse_changed(state->files[i].path);
		restore[i] =
			verdict == STATE_IN_PLACE || (verdict == STATE_CHANGED && force);
	}
	return CTL_OK;
}

static int print_removed(const struct ctl *ctl, const struct state *state,
			 const bool restore[PLAN_CHANGES_MAX], bool dry_run)
{
	json_t *paths = json_array(), *result;
	int rc = CTL_OK;

	for (size_t i = 0; i < state->file_count; i++) {
		const struct state_file *file = &state->files[i];
		bool removed = file->before.kind == TREE_NOTHING;

		if (!ctl->json)
			printf("  %s: %s\n", file->path,
			       !restore[i] ? "left as it is"
			       : removed   ? "removed"
					   : "put back as it was");
		if (restore[i])
			json_array_append_new(paths, json_string(file->path));
	}
	if (!ctl->json && dry_run)
		printf("nothing was changed: --dry-run\n");
	result = json_pack("{s:o, s:b}", "Restored", paths, "Installed", dry_run);
	if (ctl->json)
		rc = ctl_print_json(result);
	json_decref(result);
	return rc;
}

static int remove_in(const struct ctl *ctl, const struct args *args,
		     const struct tree *tree, struct state *state)
{
	bool dry_run = args_value(args, "dry-run") != NULL;
	bool restore[PLAN_CHANGES_MAX] = {false};
	struct gaz_error err;
	int rc;

	if (!state->root) {
		if (!ctl->json)
			printf("nothing is installed\n");
		return ctl->json ? print_removed(ctl, state, restore, false) : CTL_OK;
	}
	rc = judge_all(args, tree, state, restore);
	if (rc != CTL_OK)
		return rc;
	for (size_t i = 0; !dry_run && i < state->file_count; i++) {
		if (restore[i] && state_restore(tree, &state->files[i], &err) != GAZ_OK)
			return report(&err);
	}
	if (!dry_run) {
		state_forget(tree, state);
		rc = run_command(tree, state->method);
	}
	return print_removed(ctl, state, restore, dry_run) == CTL_OK ? rc : CTL_FAILED;
}

int cmd_resolver_remove(const struct ctl *ctl, const struct args *args)
{
	return with_state(ctl, args, remove_in);
}

/* ---- status ---- */

static json_t *describe_files(const struct tree *tree, const struct state *state,
			      bool *changed_out)
{
	static const char *const texts[] = {[STATE_IN_PLACE] = "in place",
					    [STATE_UNTOUCHED] = "as before",
					    [STATE_CHANGED] = "changed since"};
	json_t *files = json_array();

	for (size_t i = 0; i < state->file_count; i++) {
		enum state_verdict verdict = STATE_CHANGED;
		struct gaz_error err;

		if (state_judge(tree, &state->files[i], &verdict, &err) != GAZ_OK)
			(void)report(&err);
		*changed_out = *changed_out || verdict != STATE_IN_PLACE;
		json_array_append_new(files, json_pack("{s:s, s:s}", "Path",
						       state->files[i].path, "State",
						       texts[verdict]));
	}
	return files;
}

static int status_in(const struct ctl *ctl, const struct args *args,
		     const struct tree *tree, struct state *state)
{
	static const struct column file_columns[] = {
		{"FILE", "Path"}, {"STATE", "State"}, {0}};
	const char *in_force = plan_detect_method(tree)->name;
	bool changed = false;
	json_t *files = describe_files(tree, state, &changed);
	json_t *result;

	(void)args;
	result = json_pack(
		"{s:b, s:s, s:s, s:s, s:o, s:O}", "Installed", state->root != NULL,
		"InForce", in_force, "Method", state->root ? state->method->name : "",
		"Server", state->root ? state->server : "", "Domains",
		state->root ? json_incref(json_object_get(state->root, "Domains"))
			    : json_array(),
		"Files", files);
	if (ctl->json) {
		(void)ctl_print_json(result);
	} else {
		printf("in force: %s\n", in_force);
		printf("installed: %s%s%s%s\n", state->root ? state->method->name : "no",
		       state->root ? ", server " : "", state->root ? state->server : "",
		       changed ? ", not in place any more" : "");
		if (state->root)
			table_print_list(files, file_columns);
	}
	json_decref(files);
	json_decref(result);
	return changed ? CTL_FAILED : CTL_OK;
}

int cmd_resolver_status(const struct ctl *ctl, const struct args *args)
{
	return with_state(ctl, args, status_in);
}
