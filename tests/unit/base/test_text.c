/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "base/utf8.h"
#include "suites.h"

#include <string.h>

static void check_strip(const char *text, const char *want) {
  size_t len = strlen(text);
  px_text_strip(&text, &len);
  g_autofree char *stripped = g_strndup(text, len);
  g_assert_cmpstr(stripped, ==, want);
}

static void strip(void) {
  check_strip("  a b\t\r\n", "a b");
  check_strip("\xC2\xA0 a\xC2\xA0", "a");
  check_strip(" \xC2\xA0\v\f", "");
  check_strip("", "");
  check_strip("é\xC2", "é\xC2");
}

static void nearest(void) {
  static const char *const words[] = {"email", "name", "country_id"};
  g_assert_cmpstr(px_text_nearest("emial", words, 3), ==, "email");
  g_assert_cmpstr(px_text_nearest("emal", words, 3), ==, "email");
  g_assert_cmpstr(px_text_nearest("Country_ids", words, 3), ==, "country_id");
  g_assert_null(px_text_nearest("zzz", words, 3));
  g_autofree char *hint = px_text_did_you_mean("nam", words, 3);
  g_assert_cmpstr(hint, ==, " (did you mean name?)");
  g_autofree char *none = px_text_did_you_mean("zzz", words, 3);
  g_assert_cmpstr(none, ==, "");
}

static void quote(void) {
  g_autofree char *plain = px_text_quote("a\nb\x7F", 4);
  g_assert_cmpstr(plain, ==, "\"a\\x0ab\\x7f\"");
  g_autofree char *text = g_strnfill(100, 'x');
  g_autofree char *cut = px_text_quote(text, 100);
  g_assert_cmpuint(px_text_chars(cut, strlen(cut)), ==, 63);
  g_assert_true(g_str_has_suffix(cut, "x…\""));
}

static void chars(void) {
  g_assert_cmpuint(px_text_chars("aé€𝄞", strlen("aé€𝄞")), ==, 4);
}

/* The same four bytes in a long text, over every border of what the vector code looks at. */
static void check_in_long_text(const unsigned char *bytes, size_t good) {
  static const size_t places[] = {0, 28, 29, 30, 31, 32, 60, 61, 62, 63, 64, 100, 127};
  char text[193];
  for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
    memset(text, 'a', sizeof(text));
    memcpy(text + places[i], bytes, 4);
    g_assert_cmpuint(px_utf8_prefix(text, sizeof(text)), ==, good == 4 ? sizeof(text) : places[i] + good);
  }
}

/* Every sequence of up to four bytes over the borders of the ranges, as GLib has it. */
static void utf8_agrees_with_glib(void) {
  static const unsigned char edges[] = {0x01, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                        0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF, 0x00};
  const size_t n = G_N_ELEMENTS(edges);
  for (size_t i = 0; i < n * n * n * n; i++) {
    const unsigned char bytes[] = {edges[i % n], edges[i / n % n], edges[i / n / n % n], edges[i / n / n / n]};
    const char *end;
    (void)g_utf8_validate((const char *)bytes, 4, &end);
    size_t good = (size_t)(end - (const char *)bytes);
    g_assert_cmpuint(px_utf8_prefix((const char *)bytes, 4), ==, good);
    check_in_long_text(bytes, good);
  }
}

static void utf8_finds_the_bad_byte_anywhere(void) {
  static const char *const bad[] = {"\xFF", "\xC3", "\xE2\x82", "\xED\xA0\x80", "\xC0\xAF"};
  for (size_t len = 1; len < 200; len++) {
    g_autofree char *text = g_malloc(len); /* exact, so that a read too far is seen */
    memset(text, 'a', len);
    g_assert_cmpuint(px_utf8_prefix(text, len), ==, len);
    for (size_t i = 0; i < len; i++) {
      text[i] = '\0';
      g_assert_cmpuint(px_utf8_prefix(text, len), ==, i);
      const char *what = bad[i % G_N_ELEMENTS(bad)];
      size_t bytes = strlen(what);
      if (i + bytes <= len) {
        memcpy(text + i, what, bytes);
        g_assert_cmpuint(px_utf8_prefix(text, len), ==, i);
        memset(text + i, 'a', bytes);
      }
      text[i] = 'a';
    }
  }
}

static void utf8_cut(void) {
  g_assert_true(px_utf8_cut("\xC3", 1));
  g_assert_true(px_utf8_cut("\xE2\x82", 2));
  g_assert_true(px_utf8_cut("\xF0\x9F\x91", 3));
  g_assert_false(px_utf8_cut("\xC3\xA9", 2));
  g_assert_false(px_utf8_cut("\xE0\x80", 2));
  g_assert_false(px_utf8_cut("\xF4\x90\x80", 3));
  g_assert_false(px_utf8_cut("\x80", 1));
  g_assert_false(px_utf8_cut("a", 1));
  g_assert_false(px_utf8_cut("", 0));
}

void add_text_tests(void) {
  g_test_add_func("/base/text/strip", strip);
  g_test_add_func("/base/text/nearest", nearest);
  g_test_add_func("/base/text/quote", quote);
  g_test_add_func("/base/text/chars", chars);
  g_test_add_func("/base/utf8/agrees_with_glib", utf8_agrees_with_glib);
  g_test_add_func("/base/utf8/finds_the_bad_byte_anywhere", utf8_finds_the_bad_byte_anywhere);
  g_test_add_func("/base/utf8/cut", utf8_cut);
}
