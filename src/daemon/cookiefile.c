/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/cookiefile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum {
	FILE_MAX = 16384, /* room for comments */
};

/* The line without its comment and the blanks around the rest. */
static void strip(const char **line, size_t *len)
{
	const char *comment = memchr(*line, '#', *len);

	if (comment)
		*len = (size_t)(comment - *line);
	while (*len > 0 && isspace((unsigned char)(*line)[*len - 1]))
		--*len;
	while (*len > 0 && isspace((unsigned char)**line)) {
		++*line;
		--*len;
	}
}

static gaz_status read_line(const char *path, unsigned number, const char *line,
			    size_t len, struct cookie_secrets *secrets,
			    struct gaz_error *err)
{
	strip(&line, &len);
	if (len == 0)
		return GAZ_OK;
	switch (cookie_secrets_add(secrets, line, len)) {
	case GAZ_OK:
		return GAZ_OK;
	case GAZ_ELIMIT:
		return gaz_error_set(err, GAZ_ELIMIT,
				     "%s:%u: %d secrets are enough; remove those with "
				     "which no server makes cookies any more",
				     path, number, COOKIE_SECRETS_MAX);
	default:
		return gaz_error_set(err, GAZ_EFORMAT,
				     "%s:%u: a secret is %d hexadecimal digits, alone on "
				     "its line; correct it, or put a # before a comment",
				     path, number, 2 * SIPHASH_KEY_LEN);
	}
}

static gaz_status read_lines(const char *path, const char *text, size_t len,
			     struct cookie_secrets *secrets, struct gaz_error *err)
{
	const char *end = text + len;
	gaz_status st = GAZ_OK;

	for (unsigned number = 1; st == GAZ_OK && text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);

		st = read_line(path, number, text, line_len, secrets, err);
		text += line_len + 1;
	}
	if (st == GAZ_OK && secrets->count == 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "%s: has no secret; put into it what \"openssl rand "
				     "-hex %d\" prints",
				     path, SIPHASH_KEY_LEN);
	return st;
}

/* Without waiting, as for the other end of a pipe: signals are not taken meanwhile.
 * @return -1: `err` says why */
static int open_file(const char *path, struct gaz_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;

	if (fd < 0) {
		gaz_error_set(err, GAZ_EIO, "%s: %s; make it readable for gazetteerd",
			      path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		close(fd);
		gaz_error_set(err, GAZ_EIO,
			      "%s: not a regular file; name one that can be read again",
			      path);
		return -1;
	}
	if (info.st_mode & (S_IROTH | S_IWOTH))
		log_warn("cookie-secrets-exposed",
			 "file=%s mode=%04o reason=\"others can read or change the "
			 "secrets: chmod o-rw\"",
			 path, (unsigned)info.st_mode & 07777);
	return fd;
}

/* The file as far as there is room. @return its length, or -1 with errno set */
static ssize_t read_text(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, room - len);
		if (got > 0)
			len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0 ? got : (ssize_t)len;
}

gaz_status cookiefile_read(const char *path, struct cookie_secrets *out,
			   struct gaz_error *err)
{
	struct cookie_secrets secrets = {.count = 0};
	char text[FILE_MAX + 1];
	int fd = open_file(path, err);
	gaz_status st;
	ssize_t len;

	if (fd < 0)
		return GAZ_EIO;
	len = read_text(fd, text, sizeof text);
	if (len < 0)
		st = gaz_error_set(err, GAZ_EIO,
				   "%s: %s; make it readable for gazetteerd", path,
				   strerror(errno));
	else if (len > FILE_MAX)
		st = gaz_error_set(
			err, GAZ_ELIMIT,
			"%s: too large for a file of secrets; shorten it to %d "
			"octets",
			path, FILE_MAX);
	else
		st = read_lines(path, text, (size_t)len, &secrets, err);
	close(fd);
	if (st == GAZ_OK)
		*out = secrets;
	explicit_bzero(text, sizeof text);
	explicit_bzero(&secrets, sizeof secrets);
	return st;
}
