/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* What every client of the API does with replies: errors, lists that come in pages, and
 * operations that end later. Knows no calls. */

/** The text of a member, "" when there is none. Borrowed. */
const char *reply_text(const json_t *object, const char *name);

/** The message of an error's body, whichever way it is spelled; "" when there is none. */
const char *reply_message(const json_t *error);

/** Has GetOperation's Operation ended, well or badly? */
bool reply_has_ended(const json_t *operation);

/* A list that is asked for page by page. */
struct reply_list {
	const char *member; /* of each page: "Namespaces", an array or a map */
	json_t *input;	    /* of the next call. Borrowed; gets the page's token */
	json_t *all;	    /* the first page, with the items of all: the user's */
	unsigned pages;
};

/**
 * Take a page in.
 *
 * @param take  freed
 * @return whether there is one more to ask for
 */
bool reply_add_page(struct reply_list *list, json_t *take);
