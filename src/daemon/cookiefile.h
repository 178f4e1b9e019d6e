/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"
#include "dns/cookie.h"

/**
 * Read the secrets of DNS cookies from a file: one of 32 hexadecimal digits a line, the
 * first one makes cookies, all of them are taken; what follows a # is a comment. A file
 * that everybody can read or write is told in the log. No secret ever goes into a message.
 *
 * @param out  the secrets, one at least; they do not rotate
 * @param err  file and line of what is wrong, and what to do about it
 * @return GAZ_OK, GAZ_EIO (cannot be read, no regular file), GAZ_EFORMAT (a line that is
 *         no secret, no secret at all), GAZ_ELIMIT (too many, too large)
 */
GAZ_MUST_CHECK gaz_status cookiefile_read(const char *path, struct cookie_secrets *out,
					  struct gaz_error *err);
