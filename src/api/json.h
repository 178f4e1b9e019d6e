/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* JSON text, written in the order of the calls and without white space. The writer
 * sets the commas and escapes texts; that what begins also ends, and that every
 * member of an object has its name, is the caller's part. The first error is latched,
 * so that a chain of calls is checked once, by json_status(). */

enum {
	JSON_KEEP_MAX = 256 * 1024, /* bytes of memory that outlive json_reset() */
};

struct json_out {
	struct bytes text; /* not terminated; complete when json_status() says so */
	bool comma;	   /* due before the next value or name */
	bool malformed;	   /* a text was NULL or is not UTF-8 */
};

void json_init(struct json_out *w);
void json_fini(struct json_out *w);

/** Empty it, keep a moderate piece of memory, forget an error. */
void json_reset(struct json_out *w);

/** GAZ_ENOMEM; GAZ_EFORMAT: a text was NULL or is not UTF-8. */
gaz_status json_status(const struct json_out *w);

/* Values: the whole text, an element of the list that is open, or what follows a name. */

void json_begin_object(struct json_out *w);
void json_end_object(struct json_out *w);
void json_begin_array(struct json_out *w);
void json_end_array(struct json_out *w);

/** NULL is an error. */
void json_put_text(struct json_out *w, const char *text);

/** A text that was cut to fit a buffer, maybe inside a character: it ends where it
 *  stops being UTF-8. */
void json_put_cut_text(struct json_out *w, const char *text);

void json_put_uint(struct json_out *w, uint64_t value);
void json_put_bool(struct json_out *w, bool value);

/** Milliseconds as the seconds of an AWS timestamp: 1587055860.121, 1587055860.0. */
void json_put_seconds(struct json_out *w, int64_t ms);

/** The name of a member of the object that is open; its value follows. */
void json_name(struct json_out *w, const char *name);

/* Whole members: the name and the value. An object or array is left open. */

void json_member_object(struct json_out *w, const char *name);
void json_member_array(struct json_out *w, const char *name);
void json_member_text(struct json_out *w, const char *name, const char *text);
void json_member_uint(struct json_out *w, const char *name, uint64_t value);
void json_member_seconds(struct json_out *w, const char *name, int64_t ms);

/** Left out when the text is NULL. */
void json_member_optional(struct json_out *w, const char *name, const char *text);
