/* SPDX-License-Identifier: Apache-2.0
 * dataset_report.h - what `tacit import` and `tacit generate` do with a finished dataset. */
#ifndef TACIT_TOOLS_DATASET_REPORT_H
#define TACIT_TOOLS_DATASET_REPORT_H

#include "tools/dataset.h"

/* Writes it into a folder, which is made when it is missing. A dataset that is already there is
 * kept unless `overwrite`. 0, or 1 after a complaint. */
int dataset_report_save(const dataset *d, const char *folder, bool overwrite);
/* Prints its numbers, as text or JSON. seconds < 0: not told. 0, or 1 after a complaint. */
int dataset_report_print(const dataset *d, const char *folder, bool json, double seconds);

#endif
