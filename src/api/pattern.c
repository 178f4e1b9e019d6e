/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/shape-internal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* Bounds the work that a hostile text can cause; the service's patterns need
 * far less for texts of the allowed lengths. */
enum {
	MATCH_LIMIT = 200000,
	DEPTH_LIMIT = 20000,
	HEAP_LIMIT_KIB = 8192,
};

struct shape_patterns {
	const char *const *texts;
	size_t count;
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_code *codes[];
};

gaz_status shape_patterns_new(const char *const *texts, size_t count,
			      struct shape_patterns **out)
{
	/* As Java's matches(), which the service uses: the whole text, and "$"
	 * not before a final newline. */
	const uint32_t options =
		PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY;
	struct shape_patterns *p = calloc(1, sizeof *p + count * sizeof *p->codes);
	gaz_status st = GAZ_ENOMEM;
	PCRE2_SIZE offset;
	int error;

	if (!p)
		return GAZ_ENOMEM;
	p->texts = texts;
	p->count = count;
	p->context = pcre2_match_context_create(NULL);
	p->data = pcre2_match_data_create(1, NULL);
	if (!p->context || !p->data)
		goto fail;
	pcre2_set_match_limit(p->context, MATCH_LIMIT);
	pcre2_set_depth_limit(p->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(p->context, HEAP_LIMIT_KIB);
	for (size_t i = 1; i < count; i++) {
		p->codes[i] = pcre2_compile((PCRE2_SPTR)texts[i], PCRE2_ZERO_TERMINATED,
					    options, &error, &offset, NULL);
		if (!p->codes[i]) {
			st = GAZ_EFORMAT;
			goto fail;
		}
	}
	*out = p;
	return GAZ_OK;
fail:
	shape_patterns_free(&p);
	return st;
}

void shape_patterns_free(struct shape_patterns **patterns)
{
	struct shape_patterns *p = *patterns;

	if (!p)
		return;
	for (size_t i = 1; i < p->count; i++)
		pcre2_code_free(p->codes[i]);
	pcre2_match_data_free(p->data);
	pcre2_match_context_free(p->context);
	free(p);
	*patterns = NULL;
}

const char *pattern_text(const struct shape_patterns *p, int number)
{
	return p->texts[number];
}

bool pattern_matches(const struct shape_patterns *p, int number, const char *text,
		     size_t len)
{
	/* A limit that was hit is a negative result too: not a match. */
	return pcre2_match(p->codes[number], (PCRE2_SPTR)text, len, 0, 0, p->data,
			   p->context) >= 0;
}
