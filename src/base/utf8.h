/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Text that came from outside is looked at once, here, and is UTF-8 from then on. */
#include <stdbool.h>
#include <stddef.h>

/* How many of the bytes, from the first on, are whole well-formed characters (Unicode 15.0 table 3-7) other than NUL. */
size_t px_utf8_prefix(const char *bytes, size_t len);

/* Whether bytes (1 to 3 of them) may be the beginning of a well-formed character that more bytes complete. */
bool px_utf8_cut(const char *bytes, size_t len);

/* Bytes of the character that a well-formed text begins with. */
static inline size_t px_utf8_char_len(char first) {
  unsigned char c = (unsigned char)first;
  return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}
