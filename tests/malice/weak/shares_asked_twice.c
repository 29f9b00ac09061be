/* SPDX-License-Identifier: Apache-2.0
 * shares_asked_twice.c - a request may be made again, as for vector_asked_twice. */
#include "tests/malice/weak/vector_asked_twice.c"
