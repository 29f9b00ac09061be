/* SPDX-License-Identifier: Apache-2.0
 * run_report.h - training runs and entries of the record, as text and as JSON. */
#ifndef TACIT_TOOLS_RUN_REPORT_H
#define TACIT_TOOLS_RUN_REPORT_H

#include <jansson.h>

#include "server/store.h"

json_t *run_json(const store_run *r);
void run_print_head(void);
void run_print(const store_run *r);

json_t *record_json(const store_record *r);
void record_print_head(void);
void record_print(const store_record *r);

#endif
