/* SPDX-License-Identifier: Apache-2.0
 * status.h - the one list of results. The list makes the enum, the name and the sentence; the
 * sentence says what to do. Values are part of the wire (Problem.status): add at the end only. */
#ifndef TACIT_COMMON_STATUS_H
#define TACIT_COMMON_STATUS_H

/* What the shared library shows; everything else is hidden. */
#if defined(__GNUC__)
#define TACIT_EXPORT __attribute__((visibility("default")))
#else
#define TACIT_EXPORT
#endif

#define TACIT_STATUS_MAP(XX)                                                                   \
    XX(OK, "success")                                                                          \
    XX(INVALID_ARGUMENT, "an argument is outside its documented range")                        \
    XX(NO_SPACE, "the buffer or workspace given is too small")                                 \
    XX(NOT_FOUND, "no such item, record or route")                                             \
    XX(WRONG_PHASE, "the call or message does not belong to this phase")                       \
    XX(BAD_MESSAGE, "a message is malformed")                                                  \
    XX(TOO_LARGE, "a message or file is larger than its limit")                                \
    XX(TRUNCATED, "a message or file ends too early")                                          \
    XX(BAD_VERSION, "the two sides speak no common protocol version: update the older one")    \
    XX(BAD_SIGNATURE, "a signature does not verify under the expected key")                    \
    XX(BAD_CERTIFICATE, "a certificate is not from the pinned authority, expired or too weak") \
    XX(BAD_PROOF, "an inclusion proof does not lead to the committed root")                    \
    XX(BAD_ROSTER, "the roster breaks a rule: order, duplicates, size, eligibility or digest") \
    XX(BAD_KEY, "a public key is of low order or appears twice")                               \
    XX(BAD_SHARE, "a secret share is malformed or contradicts its commitment")                 \
    XX(BAD_BITMAP, "a survivor bitmap breaks a rule")                                          \
    XX(BAD_PLAN, "the plan contradicts itself or this build")                                  \
    XX(BELOW_FLOOR, "the plan asks for less privacy than this device's policy allows")         \
    XX(BAD_MODEL, "the model file is malformed or not from the pinned key")                    \
    XX(TOO_FEW, "too few devices or neighbours are left to go on safely")                      \
    XX(NO_CONSENT, "the person has not opted in")                                              \
    XX(PAUSED, "contributions are paused on this device")                                      \
    XX(BUDGET_SPENT, "the privacy budget of this period does not cover the plan")              \
    XX(ROUND_USED, "this device already joined this round or a later one")                     \
    XX(TOO_SOON, "the plan's minimum separation since the last contribution is not over")      \
    XX(NOT_ENROLLED, "the device has no certificate yet")                                      \
    XX(STORAGE, "the storage callback failed; nothing was sent")                               \
    XX(CORRUPT, "stored data fails its authentication check")                                  \
    XX(TRANSPORT, "the network exchange failed")                                               \
    XX(RANDOM, "the random source failed")                                                     \
    XX(LATE, "the phase has closed; leave the cohort")                                         \
    XX(BUSY, "the server asks to come back later")                                             \
    XX(PENDING, "the answer is not ready yet")                                                 \
    XX(DUPLICATE, "the same message was already accepted")                                     \
    XX(LEFT, "this device has left the cohort")                                                \
    XX(ABORTED, "the cohort was given up; only who took part is known")                        \
    XX(NUMERIC, "a linear system is singular or a value is not finite")                        \
    XX(IO, "a file or socket operation failed")                                                \
    XX(CONFIG, "the configuration is wrong")                                                   \
    XX(INTERNAL, "an internal invariant does not hold: please report this")

typedef enum {
#define XX(name, text) TACIT_##name,
    TACIT_STATUS_MAP(XX)
#undef XX
        TACIT_STATUS_COUNT
} tacit_status;

#ifdef __cplusplus
extern "C" {
#endif

/* Short name, "BAD_PLAN"; "UNKNOWN" for a value outside the list. Static storage. */
TACIT_EXPORT const char *tacit_status_name(tacit_status status);

/* One sentence for a person. Static storage. */
TACIT_EXPORT const char *tacit_status_text(tacit_status status);

#ifdef __cplusplus
}
#endif

#endif
