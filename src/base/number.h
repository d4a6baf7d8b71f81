/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Numbers as text, the same in any locale. */
#include "base/value.h"

#define PX_NUMBER_TEXT_SIZE 40 /* room for the text of any number */

/* The shortest text of an integer or a double that reads back the same; its length. */
size_t px_number_text(const PxValue *value, char buffer[PX_NUMBER_TEXT_SIZE]);
