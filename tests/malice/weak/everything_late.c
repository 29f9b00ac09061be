/* SPDX-License-Identifier: Apache-2.0
 * everything_late.c - a message is taken whenever it comes, as for late_device. */
#include "tests/malice/weak/late_device.c"
