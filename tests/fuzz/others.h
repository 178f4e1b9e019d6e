/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Names of others for fuzz_query: forwarding without the thread that asks upstreams. */

struct forward_desk;

/** A desk whose cache knows some names: what it does not know is handed over, to be taken
 *  by desk_take_asked(). To be called once; freed at exit. */
struct forward_desk *others_desk(void);
