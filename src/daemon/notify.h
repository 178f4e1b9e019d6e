/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Tell the service manager what we are at (the protocol of sd_notify(3)):
 * datagrams to the socket that NOTIFY_SOCKET names. Nothing happens when the
 * variable is not set; errors are ignored, as nobody could act on them. */

/** @param state  "READY=1", "STOPPING=1" */
void notify_send(const char *state);

/** "RELOADING=1" with the time; READY=1 is to follow. */
void notify_reloading(void);
