/* SPDX-License-Identifier: Apache-2.0 */
/* Several files that are put together. */
#include "test_storage.h"

#include <unistd.h>

#define MANY 150u
#define MORE 300u /* than are given to a driver at once */

/* What is put: text is its bytes. */
typedef struct {
  const char *path, *name, *text;
  PxOnExists on_exists;
} Given;

static PxUpload upload_of(const Given *given) {
  return (PxUpload){.path = given->path,
                    .name = given->name,
                    .fd = text_fd(given->text),
                    .size = strlen(given->text),
                    .sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, given->text, -1),
                    .on_exists = given->on_exists};
}

static void uploads_clear(PxUpload *uploads, size_t n) {
  for (size_t i = 0; i < n; i++) {
    (void)close(uploads[i].fd);
    g_free((void *)(uintptr_t)uploads[i].sha256);
    g_free(uploads[i].ret_name);
    g_clear_error(&uploads[i].error);
  }
}

/* The outcomes, a word each: the name it got, or "!" and the number of the error. */
static char *outcomes(const PxUpload *uploads, size_t n) {
  GString *text = g_string_new(NULL);
  for (size_t i = 0; i < n; i++) {
    const PxUpload *upload = &uploads[i];
    g_assert_true((upload->ret_name != NULL) != (upload->error != NULL));
    g_string_append(text, i ? " " : "");
    if (upload->error)
      g_string_append_printf(text, "!%d", upload->error->code);
    else
      g_string_append(text, upload->ret_name);
  }
  return g_string_free(text, FALSE);
}

/* Caller frees what it gives. */
static char *put_all(PxStorage *storage, const Given *given, size_t n) {
  g_autofree PxUpload *uploads = g_new(PxUpload, n);
  bool failed = false;
  for (size_t i = 0; i < n; i++)
    uploads[i] = upload_of(&given[i]);
  bool all = px_storage_put_all(storage, uploads, n, NULL, NULL);
  for (size_t i = 0; i < n; i++)
    failed |= uploads[i].error != NULL;
  g_assert_cmpint(all, ==, !failed);
  char *text = outcomes(uploads, n);
  uploads_clear(uploads, n);
  return text;
}

static char *refused(const char *format, int code) {
  char number[16];
  g_auto(GStrv) parts = g_strsplit(format, "!", -1);
  (void)g_snprintf(number, sizeof number, "!%d", code);
  return g_strjoinv(number, parts);
}

static void puts_many(Fixture *fixture, const void *data) {
  Given given[MANY + 2];
  char names[MANY][8];
  for (unsigned i = 0; i < MANY; i++) {
    (void)g_snprintf(names[i], sizeof names[i], "%03u", i);
    given[i] = (Given){.path = i % 3 ? "out/./a" : "out//b", .name = names[i], .text = names[i], .on_exists = (PxOnExists)(i % 3)};
  }
  g_autofree char *big = g_strnfill(5000000, 'x');
  given[MANY] = (Given){.path = "", .name = "big", .text = big};
  given[MANY + 1] = (Given){.path = "out/b", .name = "Größe +%.csv", .text = ""};
  for (unsigned twice = 0; twice < 2; twice++) {
    g_autofree char *got = put_all(fixture->storage, given, MANY + 2);
    g_assert_true(g_str_has_prefix(got, "000 001 002 003 "));
    g_assert_true(g_str_has_suffix(got, " 148 149 big Größe +%.csv"));
    for (unsigned i = 0; i < MANY; i++) {
      g_autofree char *place = g_strconcat(i % 3 ? "out/a/" : "out/b/", names[i], NULL);
      assert_file(fixture, place, names[i]);
    }
    assert_file(fixture, "big", big);
    assert_file(fixture, "out/b/Größe +%.csv", "");
    g_autofree char *all = tree(fixture);
    g_assert_null(strstr(all, ".pattimpex-"));
    g_assert_null(strstr(all, "-1"));
  }
}

/* One after the other, where it matters. */
static void same_names(Fixture *fixture, const void *data) {
  static const Given given[] = {{"out", "a.csv", "one", PX_EXISTS_NUMBER},    {"./out", "a.csv", "two", PX_EXISTS_NUMBER},
                                {"out", "a.csv", "one", PX_EXISTS_NUMBER},    {"out", "r.csv", "old", PX_EXISTS_REPLACE},
                                {"out", "r.csv", "newer", PX_EXISTS_REPLACE}, {"out", "r.csv", "new", PX_EXISTS_REPLACE},
                                {"out", "f.csv", "x", PX_EXISTS_FAIL},        {"out", "f.csv", "y", PX_EXISTS_FAIL},
                                {"out", "f.csv", "x", PX_EXISTS_FAIL},        {"out", "a.csv", "three", PX_EXISTS_NUMBER}};
  g_autofree char *expected = refused("a.csv a-1.csv a.csv r.csv r.csv r.csv f.csv ! f.csv a-2.csv", PX_ERROR_EXISTS);
  g_autofree char *got = put_all(fixture->storage, given, G_N_ELEMENTS(given));
  g_assert_cmpstr(got, ==, expected);
  assert_file(fixture, "out/a.csv", "one");
  assert_file(fixture, "out/a-1.csv", "two");
  assert_file(fixture, "out/a-2.csv", "three");
  assert_file(fixture, "out/r.csv", "new");
  assert_file(fixture, "out/f.csv", "x");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "out/ out/a-1.csv out/a-2.csv out/a.csv out/f.csv out/r.csv");
}

static void what_is_there(Fixture *fixture, const void *data) {
  static const Given given[] = {{"out", "new", "new", PX_EXISTS_FAIL},       {"out", "taken", "other", PX_EXISTS_FAIL},
                                {"out", "taken", "same!", PX_EXISTS_NUMBER}, {"out", "equal", "same!", PX_EXISTS_REPLACE},
                                {"out", "long", "now", PX_EXISTS_REPLACE},   {"out", "last", "last", PX_EXISTS_NUMBER}};
  make_directory(fixture, "out");
  write_file(fixture, "out/taken", "same!");
  write_file(fixture, "out/equal", "SAME!");
  write_file(fixture, "out/long", "much longer than now");
  g_autofree char *expected = refused("new ! taken equal long last", PX_ERROR_EXISTS);
  g_autofree char *got = put_all(fixture->storage, given, G_N_ELEMENTS(given));
  g_assert_cmpstr(got, ==, expected);
  assert_file(fixture, "out/taken", "same!");
  assert_file(fixture, "out/equal", "same!");
  assert_file(fixture, "out/long", "now");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "out/ out/equal out/last out/long out/new out/taken");
}

static void in_the_way(Fixture *fixture, const void *data) {
  static const Given given[] = {{"out", "a", "a", PX_EXISTS_REPLACE},
                                {"out", "folder", "x", PX_EXISTS_REPLACE},
                                {"out/file", "b", "x", PX_EXISTS_REPLACE},
                                {"out", "c", "c", PX_EXISTS_REPLACE},
                                {"out/made", "d", "d", PX_EXISTS_FAIL}};
  make_directory(fixture, "out");
  make_directory(fixture, "out/folder");
  write_file(fixture, "out/file", "");
  g_autofree char *expected = refused("a ! ! c d", PX_ERROR_REFUSED);
  g_autofree char *got = put_all(fixture->storage, given, G_N_ELEMENTS(given));
  g_assert_cmpstr(got, ==, expected);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "out/ out/a out/c out/file out/folder/ out/made/ out/made/d");
}

static void one_is_bad(Fixture *fixture, const void *data) {
  static const Given given[] = {{"", "a", "a"}, {"..", "b", "b"}, {"", "short", "four"}, {"", "long", "four"}, {"", "../c", "c"}, {"", "d", "d"}};
  PxUpload uploads[G_N_ELEMENTS(given)];
  static const int codes[] = {0, PX_ERROR_CONFIG, PX_ERROR_TRANSIENT, PX_ERROR_TRANSIENT, PX_ERROR_REFUSED, 0};
  static const char *const parts[] = {"", "storage drop: path \"..\"", "fewer than the 5 bytes", "more than the 3 bytes", "storage drop: \"../c\"",
                                      ""};
  for (size_t i = 0; i < G_N_ELEMENTS(given); i++)
    uploads[i] = upload_of(&given[i]);
  uploads[2].size = 5;
  uploads[3].size = 3;
  g_assert_false(px_storage_put_all(fixture->storage, uploads, G_N_ELEMENTS(uploads), NULL, NULL));
  for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
    if (codes[i])
      assert_fails(uploads[i].ret_name != NULL, &uploads[i].error, codes[i], parts[i]);
    else
      g_assert_cmpstr(uploads[i].ret_name, ==, given[i].name);
  }
  uploads_clear(uploads, G_N_ELEMENTS(uploads));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "a d");
}

static void checksums_found_out(Fixture *fixture, const void *data) {
  static const Given given[] = {{"", "a", "one"}, {"", "b", "two"}, {"", "c", "three"}};
  write_file(fixture, "a", "one");
  write_file(fixture, "b", "TWO");
  PxUpload uploads[G_N_ELEMENTS(given)];
  for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
    uploads[i] = upload_of(&given[i]);
    g_free((void *)(uintptr_t)uploads[i].sha256);
    uploads[i].sha256 = NULL;
    g_assert_cmpint(lseek(uploads[i].fd, 1, SEEK_SET), ==, 1);
  }
  g_assert_true(px_storage_put_all(fixture->storage, uploads, G_N_ELEMENTS(uploads), NULL, NULL));
  g_autofree char *got = outcomes(uploads, G_N_ELEMENTS(uploads));
  g_assert_cmpstr(got, ==, "a b-1 c");
  uploads_clear(uploads, G_N_ELEMENTS(uploads));
  assert_file(fixture, "b-1", "two");
  assert_file(fixture, "c", "three");
}

typedef struct {
  unsigned left; /* of answers before it says stop */
} Patience;

static bool stop_soon(void *data, GError **error) {
  Patience *patience = data;
  if (patience->left-- > 0)
    return false;
  patience->left = 0;
  g_set_error(error, PX_ERROR, PX_ERROR_STOPPED, "enough");
  return true;
}

/* What was begun is whole; the rest is as if it had not been asked for. */
static void stops(Fixture *fixture, const void *data) {
  g_autofree PxUpload *uploads = g_new(PxUpload, MORE);
  char names[MORE][8];
  unsigned put = 0;
  for (unsigned i = 0; i < MORE; i++) {
    (void)g_snprintf(names[i], sizeof names[i], "%03u", i);
    uploads[i] = upload_of(&(const Given){.path = "out", .name = names[i], .text = names[i]});
  }
  Patience patience = {.left = 1};
  g_assert_false(px_storage_put_all(fixture->storage, uploads, MORE, stop_soon, &patience));
  for (unsigned i = 0; i < MORE; i++) {
    g_autofree char *place = g_strconcat("out/", names[i], NULL);
    g_autofree char *there = read_file(fixture, place);
    g_assert_cmpstr(there, ==, uploads[i].ret_name ? names[i] : NULL);
    put += uploads[i].ret_name != NULL;
    if (!uploads[i].ret_name)
      assert_fails(false, &uploads[i].error, PX_ERROR_STOPPED, "enough");
  }
  g_assert_cmpuint(put, >, 0);
  g_assert_cmpuint(put, <, MORE);
  uploads_clear(uploads, MORE);
  g_autofree char *all = tree(fixture);
  g_assert_null(strstr(all, ".pattimpex-"));
}

static void dry_run(Fixture *fixture, const void *data) {
  static const Given given[] = {{"out", "a", "new", PX_EXISTS_REPLACE},
                                {"out", "a", "new", PX_EXISTS_NUMBER},
                                {"out", "a", "new", PX_EXISTS_FAIL},
                                {"new", "b", "new", PX_EXISTS_FAIL},
                                {"new", "c", "new", PX_EXISTS_FAIL}};
  make_directory(fixture, "out");
  write_file(fixture, "out/a", "old");
  g_autofree char *before = tree(fixture);
  g_autofree char *expected = refused("a a-1 ! b c", PX_ERROR_EXISTS);
  g_autofree char *got = put_all(fixture->dry, given, G_N_ELEMENTS(given));
  g_assert_cmpstr(got, ==, expected);
  g_autofree char *after = tree(fixture);
  g_assert_cmpstr(before, ==, after);
  assert_file(fixture, "out/a", "old");
}

/* Only that it is not too fast can be said of a machine that does other things too. */
static void bandwidth_limit(Fixture *fixture, const void *data) {
  g_autofree char *text = g_strnfill(10000, 'x');
  const Given given[] = {{"", "a", text}, {"", "b", text}, {"", "c", text}};
  g_auto(Other) other = other_with(fixture, data, "bandwidth_limit: 300000");
  int64_t began = g_get_monotonic_time();
  g_autofree char *got = put_all(other.storage, given, G_N_ELEMENTS(given));
  g_assert_cmpstr(got, ==, "a b c");
  g_assert_cmpint(g_get_monotonic_time() - began, >=, 100000);
  assert_file(fixture, "b", text);
}

static void nobody_there(Fixture *fixture, const void *data) {
  static const Given given[] = {{"", "a", "a"}, {"", "b", "b"}, {"", "c", "c"}};
  g_autofree char *expected = refused("! ! !", PX_ERROR_UNREACHABLE);
  remove_tree(fixture->drop);
  g_autofree char *got = put_all(fixture->storage, given, G_N_ELEMENTS(given));
  g_assert_cmpstr(got, ==, expected);
}

static void none(Fixture *fixture, const void *data) {
  g_assert_true(px_storage_put_all(fixture->storage, NULL, 0, NULL, NULL));
}

void add_put_all_tests(void) {
  add_for_all("put_all_puts_many_and_what_is_there_stays", puts_many);
  add_for_all("put_all_same_names_in_their_order", same_names);
  add_for_all("put_all_looks_at_what_is_there", what_is_there);
  add_for_trees("put_all_in_the_way", in_the_way);
  add_for_all("put_all_one_is_bad", one_is_bad);
  add_for_all("put_all_finds_checksums_out", checksums_found_out);
  add_for_all("put_all_stops", stops);
  add_for_all("put_all_dry_run_writes_nothing", dry_run);
  add_for_all("put_all_bandwidth_limit", bandwidth_limit);
  add_for_trees("put_all_without_the_directory", nobody_there);
  ADD("/storage/put_all/none", none);
}
