/* SPDX-License-Identifier: Apache-2.0
 * holder_framed.c - whoever brings no share is to blame. */
#include "server/cohort_checks.h"

bool cohort_shows_holder_lied(tacit_status opened) { return opened != TACIT_OK; }
