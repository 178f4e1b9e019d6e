/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/path.h"
#include "config.h"
#include "gazctl/command.h"

static const struct arg_option global_options[] = {
	{"socket", "PATH", false, "the daemon's management socket"},
	{"api", "URL", false, "its API over TCP instead, http://ADDR:PORT"},
	{"region", "REGION", false,
	 "the region to work in; the daemon's default if absent"},
	{"account", "ID", false, "the account, 12 digits; together with --region"},
	{"json", NULL, false, "print the API's own JSON"},
	{"no-wait", NULL, false, "do not wait for operations to end"},
	{"timeout", "SECONDS", false, "how long to wait; 300 if absent"},
	{"help", NULL, false,
	 "this text, as does -h; behind a command, that command's options"},
	{"version", NULL, false, "print the version"},
	{0},
};

enum {
	TIMEOUT_DEFAULT_S = 300,
	TIMEOUT_MAX_S = 86400,
	REGION_MAX = 63,
	ACCOUNT_LEN = 12,
};

struct invocation {
	struct args args; /* first the command's words among the operands, then not */
	const struct command *command;
	char socket_path[PATH_SIZE];
	char host[256];
	struct ctl ctl;
};

static void print_command(FILE *file, const struct command *c)
{
	char head[64];

	snprintf(head, sizeof(head), "%s %s", c->words, c->operands);
	fprintf(file, "  %-42s %s\n", head, c->help);
}

static int print_usage(FILE *file)
{
	fputs("usage: gazctl [OPTION...] COMMAND [ARGUMENT...]\n\ncommands:\n", file);
	for (const struct command *c = command_table; c->words; c++)
		print_command(file, c);
	fputs("\noptions:\n", file);
	command_print_options(file, global_options);
	fputs("\nexit status: 0 done, 1 the call failed, 2 wrong usage\n", file);
	return file == stdout ? CTL_OK : CTL_USAGE;
}

static int report_usage(const struct invocation *in, const char *text)
{
	ctl_report("%s; see: gazctl %s%s--help", text,
		   in->command ? in->command->words : "", in->command ? " " : "");
	return CTL_USAGE;
}

/* No command: those that begin with the same word, if there are any. */
static int report_unknown(const struct invocation *in)
{
	const char *word = in->args.operands[0];
	size_t len = strlen(word), found = 0;

	for (const struct command *c = command_table; c->words; c++) {
		if (strncmp(c->words, word, len) != 0 || c->words[len] != ' ')
			continue;
		if (found++ == 0)
			fprintf(stderr, "usage: gazctl %s ...\n", word);
		print_command(stderr, c);
	}
	return found ? CTL_USAGE : report_usage(in, "there is no such command");
}

/* Options of the command count once its words have been seen. */
static int parse_arguments(struct invocation *in, int argc, char **argv)
{
	struct gaz_error err;
	size_t words;

	for (int i = 1; i < argc;) {
		const struct arg_option *tables[] = {global_options,
						     in->command && in->command->options
							     ? in->command->options
							     : command_no_options,
						     NULL};

		if (args_take(&in->args, argv, &i, tables, &err) != GAZ_OK)
			return report_usage(in, err.text);
		if (in->command)
			continue;
		in->command =
			command_find(in->args.operands, in->args.operand_count, &words);
		if (!in->command)
			continue;
		in->args.operand_count -= words;
		memmove(in->args.operands, in->args.operands + words,
			in->args.operand_count * sizeof(*in->args.operands));
	}
	return CTL_OK;
}

/* "http://ADDR:PORT/", "ADDR:PORT", "[ADDR6]:PORT" */
static int parse_api(struct invocation *in, const char *url)
{
	struct http_peer *peer = &in->ctl.client.peer;
	char *host = in->host, *port;
	size_t len;

	if (strncmp(url, "https:", 6) == 0)
		return report_usage(in, "the API is plain HTTP, without TLS");
	if (strncmp(url, "http://", 7) == 0)
		url += 7;
	len = strcspn(url, "/");
	if (len >= sizeof(in->host) || (url[len] && url[len + 1]))
		return report_usage(in, "--api wants http://ADDR:PORT");
	memcpy(host, url, len);
	host[len] = '\0';
	port = strrchr(host, ':');
	if (!port || port == host || (host[0] == '[' && port[-1] != ']'))
		return report_usage(in, "--api wants http://ADDR:PORT");
	*port = '\0';
	if (host[0] == '[') {
		port[-1] = '\0';
		host++;
	}
	*peer = (struct http_peer){.host = host, .port = port + 1};
	return CTL_OK;
}

/* What is none the daemon would take for its default one, without a word. */
static int apply_partition(struct invocation *in)
{
	static const char region_chars[] = "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const char *region = args_value(&in->args, "region");
	const char *account = args_value(&in->args, "account");
	size_t len = region ? strlen(region) : 0;

	if (region &&
	    (len == 0 || len > REGION_MAX || strspn(region, region_chars) != len))
		return report_usage(in, "--region wants a region such as us-east-1");
	if (account && (strlen(account) != ACCOUNT_LEN ||
			strspn(account, "0123456789") != ACCOUNT_LEN))
		return report_usage(in, "--account wants 12 digits");
	if (account && !region)
		return report_usage(in, "--account wants --region as well");
	in->ctl.client.region = region;
	in->ctl.client.account = account;
	return CTL_OK;
}

static int apply_global_options(struct invocation *in)
{
	const char *socket_path = args_value(&in->args, "socket");
	const char *api = args_value(&in->args, "api");
	const char *timeout = args_value(&in->args, "timeout");
	unsigned long seconds = TIMEOUT_DEFAULT_S;

	if (timeout && (args_parse_number(timeout, TIMEOUT_MAX_S, &seconds) != GAZ_OK ||
			seconds == 0))
		return report_usage(in, "--timeout wants a number of seconds");
	if (api && socket_path)
		return report_usage(in, "--socket and --api exclude each other");
	if (apply_partition(in) != CTL_OK)
		return CTL_USAGE;
	in->ctl.client.timeout_s = (unsigned)seconds;
	in->ctl.json = args_value(&in->args, "json") != NULL;
	in->ctl.no_wait = args_value(&in->args, "no-wait") != NULL;
	if (api)
		return parse_api(in, api);
	if (!socket_path && path_default_socket(in->socket_path) != GAZ_OK)
		return report_usage(in, "the default socket's path is too long");
	in->ctl.client.peer.socket_path = socket_path ? socket_path : in->socket_path;
	return CTL_OK;
}

static int run(struct invocation *in, int argc, char **argv)
{
	int rc = parse_arguments(in, argc, argv);

	if (rc != CTL_OK)
		return rc;
	if (args_value(&in->args, "version")) {
		puts("gazctl " PACKAGE_VERSION);
		return CTL_OK;
	}
	if (args_value(&in->args, "help")) {
		if (!in->command)
			return print_usage(stdout);
		command_print_help(stdout, in->command);
		return CTL_OK;
	}
	if (!in->command && in->args.operand_count == 0)
		return print_usage(stderr);
	if (!in->command)
		return report_unknown(in);
	if (!command_takes(in->command, in->args.operand_count)) {
		command_print_help(stderr, in->command);
		return CTL_USAGE;
	}
	rc = apply_global_options(in);
	return rc == CTL_OK ? in->command->run(&in->ctl, &in->args) : rc;
}

int main(int argc, char **argv)
{
	struct invocation in = {0};
	int rc;

	if (args_init(&in.args, argc) != GAZ_OK)
		return ctl_report("out of memory");
	rc = run(&in, argc, argv);
	args_fini(&in.args);
	if (fflush(stdout) != 0 && rc == CTL_OK)
		rc = ctl_report("cannot write the output");
	return rc;
}
