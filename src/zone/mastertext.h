/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/status.h"

/* A master file taken apart into entries and words (RFC 1035, section 5.1): comments,
 * parentheses, quotes and line ends are dealt with here, what the words mean is not.
 * The file is read once, in blocks; nothing is allocated for an entry that is no longer
 * than those before it. */

enum {
	MASTERTEXT_ENTRY_MAX = 1024 * 1024, /* octets of one entry, comments left out */
};

struct masterword {
	uint32_t at; /* in the entry's text; a NUL is behind the word */
	uint32_t len;
	bool is_quoted; /* the quotes are gone; backslashes are as written in all words */
};

struct masterentry {
	const char *text; /* valid until the next call */
	const struct masterword *words;
	size_t count;
	uint32_t line;	/* where it starts, from 1 */
	bool has_owner; /* it starts at the very beginning of its line */
};

/* Room for the words of an entry; files that include each other share one. */
struct mastertext_room {
	char *text;
	size_t text_len;
	size_t text_cap;
	struct masterword *words;
	size_t count;
	size_t cap;
};

void mastertext_room_fini(struct mastertext_room *room);

struct halt;
struct mastertext;

/** What errno says of a path: GAZ_ENOTFOUND (there is nothing, or no way to it: who
 *  changes that can tell), GAZ_ENOMEM, GAZ_EIO (anything else: it may pass). */
gaz_status mastertext_status(int error);

/**
 * Open a regular file.
 *
 * @param halt      borrowed; may be NULL. Looked at for each block that is read
 * @param info_out  what fstat() says of it
 * @param err       says what is wrong, without the file's name
 * @return GAZ_OK, GAZ_ENOTFOUND (no file, no way to it, or not a regular one), GAZ_EIO,
 *         GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status mastertext_open(const char *path, const struct halt *halt,
					  struct mastertext **out, struct stat *info_out,
					  struct gaz_error *err);
void mastertext_close(struct mastertext **text);

/**
 * The next entry that has words.
 *
 * @param what_out  on GAZ_EFORMAT and GAZ_ELIMIT: what is wrong
 * @param line_out  and where
 * @return GAZ_OK, GAZ_ENOTFOUND (the end), GAZ_EFORMAT, GAZ_ELIMIT, GAZ_EIO, GAZ_ENOMEM,
 *         GAZ_EBUSY (halted)
 */
GAZ_MUST_CHECK gaz_status mastertext_next(struct mastertext *text,
					  struct mastertext_room *room,
					  struct masterentry *out, const char **what_out,
					  uint32_t *line_out);
