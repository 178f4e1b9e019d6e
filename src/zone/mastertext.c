/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/mastertext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/halt.h"

enum {
	BLOCK_SIZE = 128 * 1024,
	FIRST_TEXT = 1024,
	FIRST_WORDS = 32,
};

enum kind { /* of an octet outside quotes */
	KIND_WORD = 0,
	KIND_ESCAPE,
	KIND_BLANK,
	KIND_LINE,
	KIND_COMMENT,
	KIND_OPEN,
	KIND_CLOSE,
	KIND_QUOTE,
	KIND_ZERO,
};

static const uint8_t kinds[256] = {
	['\0'] = KIND_ZERO,   ['\t'] = KIND_BLANK, ['\n'] = KIND_LINE,
	['\r'] = KIND_BLANK,  [' '] = KIND_BLANK,  ['"'] = KIND_QUOTE,
	['('] = KIND_OPEN,    [')'] = KIND_CLOSE,  [';'] = KIND_COMMENT,
	['\\'] = KIND_ESCAPE,
};

struct mastertext {
	int fd;
	uint32_t line;
	gaz_status failure; /* GAZ_EIO, GAZ_EBUSY: there is no reading on */
	const struct halt *halt;
	const char *at;
	const char *end;
	char block[BLOCK_SIZE];
};

/* An entry on its way. */
struct scan {
	struct mastertext *t;
	struct mastertext_room *room;
	struct masterentry *entry;
	uint32_t open_line; /* of the outermost parenthesis */
	uint32_t depth;
	const char *what;
	uint32_t line;
};

void mastertext_room_fini(struct mastertext_room *room)
{
	free(room->text);
	free(room->words);
	*room = (struct mastertext_room){0};
}

gaz_status mastertext_status(int error)
{
	switch (error) {
	case EACCES:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENODEV:
	case ENOENT:
	case ENOTDIR:
	case ENXIO:
	case EPERM:
		return GAZ_ENOTFOUND;
	case ENOMEM:
		return GAZ_ENOMEM;
	default:
		return GAZ_EIO;
	}
}

static gaz_status fail_to_open(struct gaz_error *err)
{
	gaz_status st = mastertext_status(errno);

	return gaz_error_set(err, st, "%s%s", strerror(errno),
			     st == GAZ_ENOTFOUND ? "; check the path and its permissions"
						 : "");
}

/* Opening must not hang on a named pipe that has no writer. */
gaz_status mastertext_open(const char *path, const struct halt *halt,
			   struct mastertext **out, struct stat *info_out,
			   struct gaz_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct mastertext *t;

	if (fd < 0)
		return fail_to_open(err);
	if (fstat(fd, info_out) != 0 || !S_ISREG(info_out->st_mode)) {
		close(fd);
		return gaz_error_set(err, GAZ_ENOTFOUND,
				     "not a regular file; only those are read");
	}
	t = malloc(sizeof *t);
	if (!t) {
		close(fd);
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	}
	t->fd = fd;
	t->line = 1;
	t->failure = GAZ_OK;
	t->halt = halt;
	t->at = t->end = t->block;
	*out = t;
	return GAZ_OK;
}

void mastertext_close(struct mastertext **text)
{
	if (!*text)
		return;
	close((*text)->fd);
	free(*text);
	*text = NULL;
}

/* @return false: there is no more, or t->failure says why */
static bool refill(struct mastertext *t)
{
	ssize_t len = 0;

	if (halt_is_wanted(t->halt)) {
		t->failure = GAZ_EBUSY;
		return false;
	}
	do
		len = read(t->fd, t->block, sizeof t->block);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		t->failure = GAZ_EIO;
	t->at = t->block;
	t->end = t->block + (len > 0 ? len : 0);
	return len > 0;
}

static inline bool has_more(struct mastertext *t)
{
	return t->at < t->end || refill(t);
}

static gaz_status complain(struct scan *s, gaz_status st, uint32_t line, const char *what)
{
	s->what = what;
	s->line = line;
	return st;
}

static gaz_status grow_text(struct scan *s, size_t need)
{
	struct mastertext_room *room = s->room;
	size_t cap = room->text_cap ? room->text_cap : FIRST_TEXT;
	char *grown;

	if (need > MASTERTEXT_ENTRY_MAX)
		return complain(s, GAZ_ELIMIT, s->entry->line,
				"the entry is longer than 1 MiB; is a parenthesis or a "
				"quote missing?");
	while (cap < need)
		cap *= 2;
	grown = realloc(room->text, cap);
	if (!grown)
		return GAZ_ENOMEM;
	room->text = grown;
	room->text_cap = cap;
	return GAZ_OK;
}

static inline gaz_status append(struct scan *s, const char *from, size_t len)
{
	struct mastertext_room *room = s->room;

	/* One more: the NUL behind a word. */
	if (room->text_len + len + 1 > room->text_cap) {
		gaz_status st = grow_text(s, room->text_len + len + 1);

		if (st != GAZ_OK)
			return st;
	}
	memcpy(room->text + room->text_len, from, len);
	room->text_len += len;
	return GAZ_OK;
}

static gaz_status begin_word(struct scan *s, bool is_quoted)
{
	struct mastertext_room *room = s->room;

	if (room->count == room->cap) {
		size_t cap = room->cap ? room->cap * 2 : FIRST_WORDS;
		struct masterword *grown = reallocarray(room->words, cap, sizeof *grown);

		if (!grown)
			return GAZ_ENOMEM;
		room->words = grown;
		room->cap = cap;
	}
	room->words[room->count++] =
		(struct masterword){(uint32_t)room->text_len, 0, is_quoted};
	return append(s, "", 0);
}

static void end_word(struct scan *s)
{
	struct mastertext_room *room = s->room;
	struct masterword *word = &room->words[room->count - 1];

	word->len = (uint32_t)room->text_len - word->at;
	room->text[room->text_len++] = '\0';
}

/* A backslash and the octet behind it. */
static gaz_status take_escape(struct scan *s)
{
	struct mastertext *t = s->t;
	char pair[2] = {'\\', 0};

	t->at++;
	if (!has_more(t) || *t->at == '\n' || *t->at == '\0')
		return complain(s, GAZ_EFORMAT, t->line,
				"a backslash with nothing behind it; write \\092 for it");
	pair[1] = *t->at++;
	return append(s, pair, 2);
}

/* What is between quotes, from behind the first to behind the last. */
static gaz_status take_quoted(struct scan *s)
{
	struct mastertext *t = s->t;
	gaz_status st = GAZ_OK;

	while (st == GAZ_OK && has_more(t)) {
		const char *from = t->at;

		while (t->at < t->end && *t->at != '"' && *t->at != '\\' &&
		       *t->at != '\n' && *t->at != '\0')
			t->at++;
		st = append(s, from, (size_t)(t->at - from));
		if (st != GAZ_OK || t->at == t->end)
			continue;
		if (*t->at == '"') {
			t->at++;
			return GAZ_OK;
		}
		if (*t->at != '\\')
			break;
		st = take_escape(s);
	}
	if (st != GAZ_OK)
		return st;
	return complain(s, GAZ_EFORMAT, t->line,
			"a quoted string does not end on its line; close the quotes");
}

static gaz_status take_string(struct scan *s)
{
	gaz_status st = begin_word(s, true);

	s->t->at++;
	if (st == GAZ_OK)
		st = take_quoted(s);
	if (st == GAZ_OK)
		end_word(s);
	return st;
}

/* Quotes within a word are those of key="value" (RFC 9460, section 2.1); they stay. */
static gaz_status take_inner_quotes(struct scan *s)
{
	const struct mastertext_room *room = s->room;
	gaz_status st;

	if (room->text[room->text_len - 1] != '=')
		return complain(s, GAZ_EFORMAT, s->t->line,
				"a quote within a word; quote the whole of it, or put a "
				"blank or a backslash before it");
	s->t->at++;
	if ((st = append(s, "\"", 1)) != GAZ_OK || (st = take_quoted(s)) != GAZ_OK)
		return st;
	return append(s, "\"", 1);
}

static gaz_status take_word(struct scan *s)
{
	struct mastertext *t = s->t;
	gaz_status st = begin_word(s, false);

	while (st == GAZ_OK && has_more(t)) {
		const char *from = t->at;
		uint8_t kind;

		while (t->at < t->end && kinds[(uint8_t)*t->at] == KIND_WORD)
			t->at++;
		st = append(s, from, (size_t)(t->at - from));
		if (st != GAZ_OK || t->at == t->end)
			continue;
		kind = kinds[(uint8_t)*t->at];
		if (kind == KIND_ESCAPE)
			st = take_escape(s);
		else if (kind == KIND_QUOTE)
			st = take_inner_quotes(s);
		else
			break;
	}
	if (st == GAZ_OK)
		end_word(s);
	return st;
}

static void skip_comment(struct mastertext *t)
{
	while (has_more(t)) {
		const char *line_end = memchr(t->at, '\n', (size_t)(t->end - t->at));

		t->at = line_end ? line_end : t->end;
		if (line_end)
			return;
	}
}

static gaz_status take_parenthesis(struct scan *s, bool opens)
{
	s->t->at++;
	if (opens && s->depth++ == 0)
		s->open_line = s->t->line;
	if (!opens && s->depth-- == 0)
		return complain(
			s, GAZ_EFORMAT, s->t->line,
			"a closing parenthesis without an opening one; remove it");
	return GAZ_OK;
}

/* Nothing of an entry has come yet: it starts here. */
static void begin_line(struct scan *s)
{
	s->entry->line = s->t->line;
	s->entry->has_owner = has_more(s->t) && kinds[(uint8_t)*s->t->at] != KIND_BLANK;
}

/* One word, or what is between words. @return GAZ_ENOTFOUND: the entry is complete */
static gaz_status step(struct scan *s)
{
	struct mastertext *t = s->t;

	switch ((enum kind)kinds[(uint8_t)*t->at]) {
	case KIND_BLANK:
		t->at++;
		return GAZ_OK;
	case KIND_LINE:
		t->at++;
		t->line++;
		if (s->depth == 0 && s->room->count > 0)
			return GAZ_ENOTFOUND;
		if (s->depth == 0)
			begin_line(s);
		return GAZ_OK;
	case KIND_COMMENT:
		skip_comment(t);
		return GAZ_OK;
	case KIND_OPEN:
	case KIND_CLOSE:
		return take_parenthesis(s, *t->at == '(');
	case KIND_QUOTE:
		return take_string(s);
	case KIND_ZERO:
		return complain(s, GAZ_EFORMAT, t->line,
				"a zero octet: this is no text; write \\000 for one");
	default:
		return take_word(s);
	}
}

gaz_status mastertext_next(struct mastertext *text, struct mastertext_room *room,
			   struct masterentry *out, const char **what_out,
			   uint32_t *line_out)
{
	struct scan s = {.t = text, .room = room, .entry = out};
	gaz_status st = GAZ_OK;

	room->text_len = 0;
	room->count = 0;
	begin_line(&s);
	while (st == GAZ_OK && has_more(text))
		st = step(&s);
	if (text->failure != GAZ_OK)
		st = text->failure;
	else if (st == GAZ_OK && s.depth > 0)
		st = complain(
			&s, GAZ_EFORMAT, s.open_line,
			"the parenthesis that opens here is never closed; close it");
	*what_out = s.what;
	*line_out = s.line;
	if (st != GAZ_OK && st != GAZ_ENOTFOUND)
		return st;
	out->text = room->text;
	out->words = room->words;
	out->count = room->count;
	return room->count > 0 ? GAZ_OK : GAZ_ENOTFOUND;
}
