/* SPDX-License-Identifier: Apache-2.0
 * floors.c - see floors.h. A number that is not one keeps no floor. */
#include "common/floors.h"

const char *tacit_floors_check_stated(const tacit_plan *plan, const tacit_floors *floors) {
    if (!(plan->delta <= floors->max_delta)) return "plan: delta is above this device's floor";
    if (plan->max_colluding < floors->max_colluding)
        return "plan: assumes fewer colluding devices than this device does";
    if (plan->dims > floors->max_dims) return "plan: dims is above this device's bound";
    if (plan->separation_s < floors->separation_s)
        return "plan: runs are closer together than this device allows";
    return NULL;
}

const char *tacit_floors_check_sizes(uint32_t n_min, uint32_t honest, const tacit_floors *floors) {
    if (n_min < floors->n_min) return "plan: too few survivors for this device";
    if (honest < floors->honest) return "plan: too few honest survivors for this device";
    return NULL;
}
