/* SPDX-License-Identifier: Apache-2.0 */
#include "common/status.h"

const char *tacit_status_name(tacit_status status) {
    switch (status) {
#define XX(name, text) \
    case TACIT_##name: return #name;
        TACIT_STATUS_MAP(XX)
#undef XX
        case TACIT_STATUS_COUNT: break;
    }
    return "UNKNOWN";
}

const char *tacit_status_text(tacit_status status) {
    switch (status) {
#define XX(name, text) \
    case TACIT_##name: return text;
        TACIT_STATUS_MAP(XX)
#undef XX
        case TACIT_STATUS_COUNT: break;
    }
    return "unknown status";
}
