/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Small things about text that several rooms need. */
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cuts blanks (space, tab, CR, LF, FF, VT, no-break space U+00A0) off both ends of *text, *len. */
void px_text_strip(const char **text, size_t *len);

/* Of candidates, the one that a person who typed word most likely meant, or NULL. Borrowed from candidates. */
const char *px_text_nearest(const char *word, const char *const *candidates, size_t n);

/* " (did you mean X?)" or "" ; caller frees. */
char *px_text_did_you_mean(const char *word, const char *const *candidates, size_t n);

/* A cell as a spreadsheet calls it: column 5 (from 0) of row 1 is "F1". Caller frees. */
char *px_text_cell_name(size_t column, uint64_t row);

/* Characters (not bytes) of valid UTF-8. */
size_t px_text_chars(const char *text, size_t len);

/* Whether text is an address of mail as we take them: printable ASCII, one @ with something on both sides, nothing that means something in a
 * header. */
bool px_text_is_address(const char *text);

/* text in double quotes for a message, cut at 60 characters, control characters as \xNN; caller frees. */
char *px_text_quote(const char *text, size_t len);
/* Whether a spreadsheet would run the text: = + - @ TAB CR, behind any number of ' (which guard it, and one of which is taken away when it
 * is read). */
bool px_text_is_formula(const char *text, size_t len);

/* Appends text as part of one line: a line end or tab becomes a blank, other control characters are shown as \xNN, bytes that are not UTF-8 are
 * replaced. What a terminal would obey is shown instead. */
void px_text_append_line(GString *out, const char *text);

/* "1 file", "12,345 files": s is put behind what where n is not 1. Caller frees. */
char *px_count_text(uint64_t n, const char *what);
/* 1234567 as "1,234,567". Caller frees. */
char *px_group_digits(uint64_t n);
