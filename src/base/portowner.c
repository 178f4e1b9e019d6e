/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/portowner.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_SIZE = 512,
	PATH_ROOM = 64,
	STATE_LISTEN = 0x0a,	  /* of TCP sockets */
	STATE_UNCONNECTED = 0x07, /* of UDP sockets */
};

struct table {
	const char *path;
	int family;
	unsigned state;
};

static const struct table tables[] = {
	{"/proc/net/udp", AF_INET, STATE_UNCONNECTED},
	{"/proc/net/udp6", AF_INET6, STATE_UNCONNECTED},
	{"/proc/net/tcp", AF_INET, STATE_LISTEN},
	{"/proc/net/tcp6", AF_INET6, STATE_LISTEN},
};

static bool is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

static bool is_wildcard(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr ==
		       htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(
		&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

/* The kernel prints each word of an address as it lies in memory. */
static bool read_address(const char *hex, int family, uint8_t out[16])
{
	size_t words = family == AF_INET ? 1 : 4;

	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (sscanf(hex + 8 * i, "%8x", &word) != 1)
			return false;
		memcpy(out + 4 * i, &word, sizeof word);
	}
	return true;
}

/* A socket on all IPv6 addresses may take the port of IPv4 too. */
static bool is_in_the_way(const struct sockaddr *sa, int family,
			  const uint8_t address[16])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
	size_t len = family == AF_INET ? 4 : 16;

	if (is_zero(address, len))
		return family == sa->sa_family || family == AF_INET6;
	if (family != sa->sa_family)
		return false;
	return is_wildcard(sa) ||
	       memcmp(family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr,
		      address, len) == 0;
}

/* The inode of a line's socket when that is in the way, else 0. */
static unsigned long match_line(const char *line, const struct table *table,
				const struct sockaddr *sa)
{
	const in_port_t port = ((const struct sockaddr_in *)(const void *)sa)->sin_port;
	uint8_t address[16];
	char hex[33] = "";
	unsigned long inode = 0;
	unsigned found_port, state;

	if (sscanf(line,
		   " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u "
		   "%lu",
		   hex, &found_port, &state, &inode) != 4 ||
	    strlen(hex) != (table->family == AF_INET ? 8U : 32U) ||
	    !read_address(hex, table->family, address))
		return 0;
	return found_port == ntohs(port) && state == table->state &&
			       is_in_the_way(sa, table->family, address)
		       ? inode
		       : 0;
}

static unsigned long find_in_table(const struct table *table, const struct sockaddr *sa)
{
	FILE *file = fopen(table->path, "re");
	unsigned long inode = 0;
	char line[LINE_SIZE];

	if (!file)
		return 0;
	while (inode == 0 && fgets(line, sizeof line, file))
		inode = match_line(line, table, sa);
	(void)fclose(file);
	return inode;
}

static bool has_socket(const char *pid, const char *wanted)
{
	char path[PATH_ROOM + 256];
	char target[64];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		ssize_t len =
			readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);

		target[len > 0 ? len : 0] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	(void)closedir(dir);
	return found;
}

static void name_process(const char *pid, char out[PORTOWNER_SIZE])
{
	char path[PATH_ROOM];
	char name[32] = "";
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (file && !fgets(name, sizeof name, file))
		name[0] = '\0';
	if (file)
		(void)fclose(file);
	name[strcspn(name, "\n")] = '\0';
	for (char *c = name; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
	(void)snprintf(out, PORTOWNER_SIZE, "%s (pid %.20s)", *name ? name : "a process",
		       pid);
}

static bool find_process(unsigned long inode, char out[PORTOWNER_SIZE])
{
	char wanted[64];
	const struct dirent *entry;
	bool found = false;
	DIR *proc = opendir("/proc");

	if (!proc)
		return false;
	(void)snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	while (!found && (entry = readdir(proc)) != NULL)
		found = isdigit((unsigned char)entry->d_name[0]) &&
			has_socket(entry->d_name, wanted);
	if (found)
		name_process(entry->d_name, out);
	(void)closedir(proc);
	return found;
}

bool portowner_find(const struct sockaddr *sa, char out[PORTOWNER_SIZE])
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		unsigned long inode = find_in_table(&tables[i], sa);

		if (inode == 0)
			continue;
		if (!find_process(inode, out))
			(void)snprintf(out, PORTOWNER_SIZE, "a program of another user");
		return true;
	}
	return false;
}
