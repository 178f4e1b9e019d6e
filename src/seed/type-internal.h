/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* A kind of namespaces, and its operations. */
struct seed_type {
	const char *name; /* the API's Type */
	const char *create;
	const char *update;
};

/** NULL: there is no such type. */
const struct seed_type *seed_find_type(const char *name);
