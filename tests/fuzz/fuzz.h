/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls, and run_corpus.c. Ends the process where something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
