/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The answer algorithm (RFC 1034 section 4.3.2, with RFC 2308, 4592, 6672, 8020 and
 * 8482): from a question to the records of the reply. */

struct answer_job;

/** Find the zone of the question's name. The job has its query, type and view. */
void search_begin(struct answer_job *job);

/** Fill the reply. @return the rcode */
unsigned search_zones(struct answer_job *job);
