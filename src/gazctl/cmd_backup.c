/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "gazctl/command.h"

/* A copy of the store that the daemon gives out, and the way back. */

enum {
	PROGRESS_MS = 200,
	PART_SIZE = PATH_SIZE + 16,
};

/* ---- backup ---- */

/* For people only: on a terminal, over the same line again and again. */
static void show_progress(size_t done, size_t total)
{
	static int64_t shown_ms;
	int64_t now_ms = clock_monotonic_ms();

	if (!isatty(STDERR_FILENO) || (now_ms - shown_ms < PROGRESS_MS && done < total))
		return;
	shown_ms = now_ms;
	fprintf(stderr, "\r%zu of %zu KiB%s", done / 1024, total / 1024,
		done == total ? "\n" : "");
}

/* A file of this moment in a directory, else the path itself. A device or a pipe would
 * not be written to, but replaced. */
static int choose_file(const char *path, char out[PATH_SIZE])
{
	time_t now = time(NULL);
	struct stat info = {.st_mode = S_IFREG};
	struct tm tm;
	char stamp[24] = "";
	int len;

	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	(void)stat(path, &info);
	if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
		return ctl_report("%s is no file; name a file, or a directory", path);
	if (S_ISDIR(info.st_mode))
		len = snprintf(out, PATH_SIZE, "%s%sgazetteer-%s.mdb", path,
			       path[strlen(path) - 1] == '/' ? "" : "/", stamp);
	else
		len = snprintf(out, PATH_SIZE, "%s", path);
	return len < PATH_SIZE ? CTL_OK : ctl_report("the path is too long");
}

static void sync_parent(const char *path)
{
	char copy[PATH_SIZE];
	int fd;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static int print_done(const struct ctl *ctl, const char *path, size_t size)
{
	json_t *result;
	int rc;

	if (!ctl->json) {
		printf("copied %zu KiB to %s\n", (size + 1023) / 1024, path);
		return CTL_OK;
	}
	result = json_pack("{s:s, s:I}", "File", path, "Size", (json_int_t)size);
	if (!result)
		return ctl_report("cannot print the path: is it UTF-8?");
	rc = ctl_print_json(result);
	json_decref(result);
	return rc;
}

static char part[PART_SIZE]; /* the file while it is not whole */

static void on_end(int number)
{
	(void)unlink(part);
	signal(number, SIG_DFL);
	raise(number);
}

/* Who interrupts it finds nothing half done. What is ignored (nohup) stays so. */
static void catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

	signal(SIGXFSZ, SIG_IGN); /* a limit is an error like a full disk */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (signal(numbers[i], on_end) == SIG_IGN)
			signal(numbers[i], SIG_IGN);
	}
}

/* Under another name until it is whole: what bears the name is a backup. */
int cmd_backup(const struct ctl *ctl, const struct args *args)
{
	char path[PATH_SIZE];
	struct stat info = {0};
	int rc = choose_file(args->operands[0], path);
	int fd;

	if (rc != CTL_OK)
		return rc;
	catch_signals();
	(void)snprintf(part, sizeof(part), "%s.part-XXXXXX", path);
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0)
		return ctl_report("cannot write %s: %s", path, strerror(errno));
	if (client_download(&ctl->client, "Gazetteer.Backup", json_object(), fd,
			    show_progress) != GAZ_OK)
		rc = CTL_FAILED;
	else if (fsync(fd) != 0 || fstat(fd, &info) != 0 || rename(part, path) != 0)
		rc = ctl_report("cannot write %s: %s", path, strerror(errno));
	close(fd);
	if (rc != CTL_OK) {
		(void)unlink(part);
		return rc;
	}
	sync_parent(path);
	return print_done(ctl, path, (size_t)info.st_size);
}

/* ---- restore ---- */

/* The daemon knows what a good store is. It lies beside this program, or where the
 * system keeps its daemons. Does not return where there is one. */
static void run_daemon(char *const argv[])
{
	static const char *const places[] = {"", "/../sbin"};
	char self[PATH_MAX] = "";
	char path[PATH_MAX + 32];
	const char *dir;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0) {
		dir = dirname(self);
		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
			(void)snprintf(path, sizeof(path), "%s%s/gazetteerd", dir,
				       places[i]);
			(void)execv(path, argv);
		}
	}
	(void)execvp("gazetteerd", argv);
}

/* Who names a daemon means its store; but which that is nobody can ask a daemon that must
 * not run. The default directory may be another one's. */
static int refuse_daemon(const struct args *args)
{
	static const char *const options[] = {"socket", "api"};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (!args_value(args, options[i]))
			continue;
		ctl_report("restore goes without --%s: it asks no daemon; stop the one "
			   "of that store, and give the directory of its --data: "
			   "restore FILE --data DIR",
			   options[i]);
		return CTL_USAGE;
	}
	return CTL_OK;
}

int cmd_restore(const struct ctl *ctl, const struct args *args)
{
	static char program[] = "gazetteerd";
	static char restore[] = "--restore";
	static char data[] = "--data";
	static char force[] = "--force";
	char *argv[7] = {program, restore, (char *)(uintptr_t)args->operands[0]};
	const char *dir = args_value(args, "data");
	size_t n = 3;

	(void)ctl;
	if (refuse_daemon(args) != CTL_OK)
		return CTL_USAGE;
	if (dir) {
		argv[n++] = data;
		argv[n++] = (char *)(uintptr_t)dir;
	}
	if (args_value(args, "force"))
		argv[n++] = force;
	run_daemon(argv);
	return ctl_report("cannot run gazetteerd: %s; install it, or put it into PATH",
			  strerror(errno));
}
