/* SPDX-License-Identifier: Apache-2.0
 * http_problem.c - which HTTP status tells which Tacit status, and the words for both. */
#include "server/http_internal.h"

int http_status_of(tacit_status status) {
    switch (status) {
        case TACIT_OK: return 200;
        case TACIT_PENDING: return 202;
        case TACIT_BAD_MESSAGE:
        case TACIT_TRUNCATED:
        case TACIT_INVALID_ARGUMENT:
        case TACIT_BAD_PROOF:
        case TACIT_BAD_ROSTER:
        case TACIT_BAD_KEY:
        case TACIT_BAD_SHARE:
        case TACIT_BAD_BITMAP:
        case TACIT_BAD_PLAN:
        case TACIT_BAD_MODEL: return 400;
        case TACIT_BAD_SIGNATURE:
        case TACIT_BAD_CERTIFICATE:
        case TACIT_BELOW_FLOOR:
        case TACIT_NOT_ENROLLED: return 403;
        case TACIT_NOT_FOUND: return 404;
        case TACIT_WRONG_PHASE:
        case TACIT_DUPLICATE:
        case TACIT_ROUND_USED: return 409;
        case TACIT_LATE:
        case TACIT_LEFT:
        case TACIT_TOO_FEW:
        case TACIT_ABORTED: return 410;
        case TACIT_TOO_LARGE: return 413;
        case TACIT_BAD_VERSION: return 426;
        case TACIT_BUSY:
        case TACIT_NO_SPACE: return 503;
        default: return 500;
    }
}

const char *http_reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 202: return "Accepted";
        case 206: return "Partial Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 413: return "Content Too Large";
        case 416: return "Range Not Satisfiable";
        case 426: return "Upgrade Required";
        case 503: return "Service Unavailable";
        default: return "Internal Server Error";
    }
}
