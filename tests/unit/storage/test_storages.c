/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/name_private.h"
#include "test_storage.h"

static void assert_complaint(const char *text, const char *part) {
  g_autoptr(PxConfig) config = px_config_parse(text, "t", NULL);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxStorages) storages = px_storages_read(config, complaints);
  g_autoptr(GError) error = NULL;
  assert_fails(px_complaints_to_error(complaints, &error), &error, PX_ERROR_CONFIG, part);
  g_assert_nonnull(storages);
}

static void section(void) {
  assert_complaint("storages: [a]", "t:1: storages: must be a map");
  assert_complaint("storages: {a: text}", "storage a: \"text\", but a map");
  assert_complaint("storages:\n  a: {directory: x}", "t:2: storage a: \"type\" is missing; it is one of: file");
  assert_complaint("storages:\n  a: {type: fil}", "t:2: storage a: \"fil\" is no type of storage (did you mean file?)");
  assert_complaint("storages: {a: {type: file}}", "storage a: \"directory\" is missing");
  assert_complaint("storages: {a: {type: file, directory: ''}}", "must not be empty");
  assert_complaint("storages: {a: {type: file, directory: x, tmp_suffix: a/b}}", "storage a: tmp_suffix: the name has a / in it");
  assert_complaint("storages: {a: {type: file, directory: x, diretory: y}}", "unknown key \"diretory\" (did you mean directory?)");
  assert_complaint("storages: {a: {type: file, directory: x}, b: {type: file, directory: y, renamed_from: a}}", "there is a storage a still");
}

static void names(void) {
  g_autoptr(PxConfig) config =
    px_config_parse("storages:\n  b: {type: file, directory: x, renamed_from: old}\n  a: {type: file, directory: y}\n", "t", NULL);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxStorages) storages = px_storages_read(config, complaints);
  g_assert_cmpuint(px_complaints_count(complaints), ==, 0);
  g_assert_cmpuint(px_storages_count(storages), ==, 2);
  g_assert_cmpstr(px_storages_name(storages, 0), ==, "b");
}

static void none(void) {
  g_autoptr(PxConfig) config = px_config_parse("a: 1", "t", NULL);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxStorages) storages = px_storages_read(config, complaints);
  g_assert_cmpuint(px_complaints_count(complaints), ==, 0);
  g_assert_cmpuint(px_storages_count(storages), ==, 0);
}

static void unknown(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxStorage) storage = px_storage_open(fixture->storages, "drp", false, &error);
  assert_fails(storage != NULL, &error, PX_ERROR_CONFIG, "storage drp: there is none of that name under \"storages\" (did you mean drop?)");
}

static void missing_directory(void) {
  g_autoptr(PxConfig) config = px_config_parse("storages: {a: {type: file, directory: /nowhere/at/all}}", "t", NULL);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxStorages) storages = px_storages_read(config, complaints);
  g_autoptr(PxStorage) storage = px_storage_open(storages, "a", false, NULL);
  g_autoptr(GError) error = NULL;
  assert_fails(px_storage_check(storage, true, &error), &error, PX_ERROR_UNREACHABLE, "storage a: its directory /nowhere/at/all: ");
  assert_fails(px_storage_list(storage, "in", false, NULL, NULL, &error), &error, PX_ERROR_UNREACHABLE, "make it, or correct");
}

static void name_problems(void) {
  static const char *const good[] = {"a", "a.csv", ".hidden", "ä ö.csv", "..a", "-", "pattimpex-1", "a\\b"};
  for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
    g_assert_null(px_storage_name_problem(good[i]));
  static const char *const bad[] = {"", ".", "..", "a/b", "a\nb", "a\x7f", "a\xc2\x85", "\xff", ".pattimpex-1", ".pattimpex-tmp-x"};
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_nonnull(px_storage_name_problem(bad[i]));
  g_autofree char *longest = g_strnfill(255, 'a');
  g_autofree char *longer = g_strnfill(256, 'a');
  g_assert_null(px_storage_name_problem(longest));
  g_assert_nonnull(px_storage_name_problem(longer));
}

static const char *path_problem(const char *path) {
  g_autofree char *clean = NULL;
  return px_name_clean_path(path, &clean);
}

static void path_problems(void) {
  static const char *const good[] = {"", "in", "in/x", "./in//x/", ".hidden"};
  for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
    g_assert_null(path_problem(good[i]));
  static const char *const bad[] = {"/in", "..", "in/../..", "in/a\nb"};
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_nonnull(path_problem(bad[i]));
}

void add_storages_tests(void) {
  g_test_add_func("/storage/config/mistakes", section);
  g_test_add_func("/storage/config/names", names);
  g_test_add_func("/storage/config/no_section", none);
  ADD("/storage/config/unknown_name", unknown);
  g_test_add_func("/storage/file/missing_directory", missing_directory);
  g_test_add_func("/storage/names", name_problems);
  g_test_add_func("/storage/paths", path_problems);
}
