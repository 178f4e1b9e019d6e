/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The one error type of the project. A fallible function returns a gaz_status
 * and hands its result to a last `out` pointer; on error `*out` is untouched
 * and the object is as before the call, unless the header says otherwise. */

typedef enum gaz_status {
	GAZ_OK = 0,
	GAZ_ENOMEM,    /* out of memory */
	GAZ_EFORMAT,   /* the input is malformed */
	GAZ_EEXISTS,   /* it is there already, or something that excludes it is */
	GAZ_ENOTFOUND, /* no such thing */
	GAZ_ELIMIT,    /* a limit of ours or of the protocol is exceeded */
	GAZ_ESTORE,    /* the store refused: disk full, damaged, wrong version */
	GAZ_EIO,       /* a system call failed */
	GAZ_EBUSY,     /* somebody else holds it */
	GAZ_EREFUSED,  /* a rule forbids it: the call's fault says which */
} gaz_status;

#define GAZ_MUST_CHECK	   __attribute__((warn_unused_result))
#define GAZ_PRINTF(at, va) __attribute__((format(printf, at, va)))

/* Human detail beside a status: caller-owned, never allocated. */
struct gaz_error {
	gaz_status status;
	char text[512]; /* one line, no newline, says what to do next */
};

/** A short lower-case English text for a status, never NULL. */
const char *gaz_status_text(gaz_status st);

/**
 * Fill an error and return its status, so that a caller can write
 * `return gaz_error_set(err, GAZ_EIO, "...")`.
 *
 * @param err  may be NULL: then only the status is returned
 */
gaz_status gaz_error_set(struct gaz_error *err, gaz_status st, const char *fmt, ...)
	GAZ_PRINTF(3, 4);
