/* SPDX-License-Identifier: Apache-2.0 */
#include "test_config.h"

#include <glib/gstdio.h>

typedef struct {
  char *directory;
  GPtrArray *files;
} Fixture;

static void set_up(Fixture *fixture, const void *data) {
  fixture->directory = g_dir_make_tmp("pattimpex-test-XXXXXX", NULL);
  fixture->files = g_ptr_array_new_with_free_func(g_free);
}

static void tear_down(Fixture *fixture, const void *data) {
  for (unsigned i = 0; i < fixture->files->len; i++)
    (void)g_unlink(g_ptr_array_index(fixture->files, i));
  (void)g_rmdir(fixture->directory);
  g_ptr_array_unref(fixture->files);
  g_free(fixture->directory);
}

static const char *write_file(Fixture *fixture, const char *name, const char *text) {
  char *path = g_build_filename(fixture->directory, name, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  g_ptr_array_add(fixture->files, path);
  return path;
}

static PxConfig *load_one(const char *path) {
  g_autoptr(GError) error = NULL;
  PxConfig *config = px_config_load(&path, 1, &error);
  g_assert_no_error(error);
  return config;
}

static char *refusal(const char *path) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxConfig) config = px_config_load(&path, 1, &error);
  g_assert_null(config);
  g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  return g_strdup(error->message);
}

static void later_file_wins(Fixture *fixture, const void *data) {
  const char *paths[] = {write_file(fixture, "a.yaml", "x: 1\nm: {k: 1, l: 2}\ns: [1, 2]\nn: {a: 1}\n"),
                         write_file(fixture, "b.yaml", "m: {l: 3, o: 4}\ns: [9]\nn: null\ny: 5\n")};
  g_autoptr(PxConfig) config = px_config_load(paths, 2, NULL);
  g_autofree char *json = px_node_to_json(px_config_root(config));
  g_assert_cmpstr(json, ==, "{\"x\":1,\"m\":{\"k\":1,\"l\":3,\"o\":4},\"s\":[9],\"n\":null,\"y\":5}");
  const PxConfigNode *m = px_node_get(px_config_root(config), "m");
  g_assert_cmpstr(px_node_file(px_node_get(m, "k")), ==, paths[0]);
  g_assert_cmpstr(px_node_file(px_node_get(m, "l")), ==, paths[1]);
  g_autofree char *resolved = px_config_resolve_path(config, "x");
  g_autofree char *expected = g_build_filename(fixture->directory, "x", NULL);
  g_assert_cmpstr(resolved, ==, expected);
}

static void includes(Fixture *fixture, const void *data) {
  (void)write_file(fixture, "one.yaml", "a: one\nb: one\nc: one\n");
  (void)write_file(fixture, "two.yaml", "include: three.yaml\nb: two\nc: two\n");
  (void)write_file(fixture, "three.yaml", "d: three\nb: three\n");
  g_autoptr(PxConfig) config = load_one(write_file(fixture, "main.yaml", "c: main\ninclude: [one.yaml, two.yaml]\n"));
  g_autofree char *json = px_node_to_json(px_config_root(config));
  g_assert_cmpstr(json, ==, "{\"a\":\"one\",\"b\":\"two\",\"c\":\"main\",\"d\":\"three\"}");
}

static void include_circle(Fixture *fixture, const void *data) {
  (void)write_file(fixture, "b.yaml", "x: 1\ninclude: a.yaml\n");
  g_autofree char *message = refusal(write_file(fixture, "a.yaml", "include: b.yaml\n"));
  assert_contains(message, "b.yaml:2: include: files include one another in a circle: ");
  assert_contains(message, "a.yaml -> ");
}

static void include_missing(Fixture *fixture, const void *data) {
  g_autofree char *message = refusal(write_file(fixture, "a.yaml", "x: 1\ninclude: [gone.yaml, {a: 1}]\n"));
  assert_contains(message, "a.yaml:2: include: cannot read ");
  assert_contains(message, "a.yaml:2: include: must be a path");
}

static void include_fan(Fixture *fixture, const void *data) {
  for (unsigned i = 1; i < 30; i++) {
    g_autofree char *name = g_strdup_printf("f%u.yaml", i);
    g_autofree char *text = g_strdup_printf("include: [f%u.yaml, f%u.yaml]\n", i + 1, i + 1);
    (void)write_file(fixture, name, text);
  }
  (void)write_file(fixture, "f30.yaml", "a: 1\n");
  g_autofree char *message = refusal(write_file(fixture, "f0.yaml", "include: f1.yaml\n"));
  assert_contains(message, "more than 100 files");
}

static void unreadable(Fixture *fixture, const void *data) {
  g_autofree char *path = g_build_filename(fixture->directory, "none.yaml", NULL);
  g_autofree char *message = refusal(path);
  assert_contains(message, "none.yaml: cannot read this configuration: No such file");
  g_autofree char *directory = refusal(fixture->directory);
  assert_contains(directory, "Is a directory");
  g_autofree char *latin = refusal(write_file(fixture, "latin.yaml", "a: 1\nb: \xe9\n"));
  assert_contains(latin, "line 2: bytes that are not UTF-8");
  g_autofree char *list = refusal(write_file(fixture, "list.yaml", "- a\n"));
  assert_contains(list, "list.yaml:1: a configuration is a map");
}

static void environment(Fixture *fixture, const void *data) {
  (void)g_setenv("PX_TEST_HOST", "example.com", TRUE);
  (void)g_unsetenv("PX_TEST_NONE");
  g_autoptr(PxConfig) config = load_one(write_file(
    fixture, "a.yaml", "a: sftp://${PX_TEST_HOST}/x\nb: $${PX_TEST_HOST}\nc: \"${obj.stem}-${date:%Y}${PX_TEST_HOST}\"\n${PX_TEST_HOST}: key\n"));
  const PxConfigNode *root = px_config_root(config);
  g_assert_cmpstr(px_node_text(px_node_get(root, "a")), ==, "sftp://example.com/x");
  g_assert_true(px_node_is_secret(px_node_get(root, "a")));
  g_assert_cmpstr(px_node_text(px_node_get(root, "b")), ==, "${PX_TEST_HOST}");
  g_assert_false(px_node_is_secret(px_node_get(root, "b")));
  g_assert_cmpstr(px_node_text(px_node_get(root, "c")), ==, "${obj.stem}-${date:%Y}example.com");
  g_assert_nonnull(px_node_get(root, "${PX_TEST_HOST}"));
  g_autofree char *message = refusal(write_file(fixture, "b.yaml", "x: 1\ny: ${PX_TEST_NONE}\n"));
  assert_contains(message, "b.yaml:2: the environment variable PX_TEST_NONE is not set; set it, or write $${PX_TEST_NONE}");
}

static void overridden_secret_is_not_asked_for(Fixture *fixture, const void *data) {
  (void)g_unsetenv("PX_TEST_NONE");
  const char *paths[] = {write_file(fixture, "a.yaml", "p: ${PX_TEST_NONE}\nq: {file: none}\n"), write_file(fixture, "b.yaml", "p: x\nq: {k: 1}\n")};
  g_autoptr(GError) error = NULL;
  g_autoptr(PxConfig) config = px_config_load(paths, 2, &error);
  g_assert_no_error(error);
  g_autofree char *json = px_node_to_json(px_config_root(config));
  g_assert_cmpstr(json, ==, "{\"p\":\"x\",\"q\":{\"k\":1}}");
}

static void file_values(Fixture *fixture, const void *data) {
  (void)write_file(fixture, "key", "s3cret: [not yaml]\n\n");
  (void)write_file(fixture, "dos", "abc\r\n");
  g_autoptr(PxConfig) config = load_one(write_file(fixture, "a.yaml", "a: {file: key}\nb: {file: dos}\nc: {file: {x: 1}}\nd: {file: x, other: 1}\n"));
  const PxConfigNode *root = px_config_root(config);
  g_assert_cmpstr(px_node_text(px_node_get(root, "a")), ==, "s3cret: [not yaml]\n");
  g_assert_true(px_node_is_secret(px_node_get(root, "a")));
  g_assert_cmpuint(px_node_line(px_node_get(root, "a")), ==, 1);
  g_assert_cmpstr(px_node_text(px_node_get(root, "b")), ==, "abc");
  g_assert_cmpint(px_node_type(px_node_get(root, "c")), ==, PX_NODE_MAP);
  g_assert_cmpint(px_node_type(px_node_get(root, "d")), ==, PX_NODE_MAP);
  g_autofree char *message = refusal(write_file(fixture, "b.yaml", "x:\n  p: {file: none}\n"));
  assert_contains(message, "b.yaml:2: file: cannot read ");
}

static void dump(Fixture *fixture, const void *data) {
  (void)g_setenv("PX_TEST_SECRET", "hush", TRUE);
  (void)write_file(fixture, "key", "hush\n");
  const char *paths[] = {
    write_file(fixture, "a.yaml",
               "database: postgresql://me:hush@host/db\nsecond: postgresql://me@host/db\nurl: host=x password=hush\nlist: [{a: 1, b: [x, []]}, y]\n"
               "storages:\n  s: {type: sftp, user: '${PX_TEST_SECRET}', Pass_Phrase: no, passphrase: hush, token: {label: shown}}\n"
               "k: {file: key}\nmulti: \"a\\nb\"\n\"odd: key\": ''\nempty: {}\nnothing:\ndollar: $${HOME}\n"),
    write_file(fixture, "b.yaml", "storages: {s: {type: file}}\n")};
  g_autoptr(GError) error = NULL;
  g_autoptr(PxConfig) config = px_config_load(paths, 2, &error);
  g_assert_no_error(error);
  g_autofree char *text = px_config_dump(config);
  g_assert_null(strstr(text, "hush"));
  g_autofree char *first = g_strdup_printf("database: postgresql://me:***@host/db  # %s:1\n", paths[0]);
  assert_contains(text, first);
  g_autofree char *overridden = g_strdup_printf("\n    type: file  # %s:1\n    user: \"***\"  # %s:6\n", paths[1], paths[0]);
  assert_contains(text, overridden);
  assert_contains(text, "    passphrase: \"***\"");
  assert_contains(text, "label: shown");
  assert_contains(text, "list:\n  - a: 1  #");
  g_autoptr(PxConfig) again = parsed(text);
  g_autofree char *again_text = px_node_to_json(px_node_get(px_config_root(again), "list"));
  g_assert_cmpstr(again_text, ==, "[{\"a\":1,\"b\":[\"x\",[]]},\"y\"]");
  g_assert_cmpstr(px_node_text(px_node_get(px_config_root(again), "multi")), ==, "a\nb");
  g_assert_cmpstr(px_node_text(px_node_get(px_config_root(again), "odd: key")), ==, "");
  g_assert_cmpstr(px_node_text(px_node_get(px_config_root(again), "dollar")), ==, "${HOME}");
}

static void paths(Fixture *fixture, const void *data) {
  g_autoptr(PxConfig) config = load_one(write_file(fixture, "a.yaml", "a: 1\n"));
  g_autofree char *expected = g_build_filename(fixture->directory, "x/y", NULL);
  g_autofree char *relative = px_config_resolve_path(config, "x/y");
  g_assert_cmpstr(relative, ==, expected);
  g_autofree char *absolute = px_config_resolve_path(config, "/x/y");
  g_assert_cmpstr(absolute, ==, "/x/y");
  g_autofree char *home = px_config_resolve_path(config, "~/y");
  g_autofree char *home_expected = g_build_filename(g_get_home_dir(), "y", NULL);
  g_assert_cmpstr(home, ==, home_expected);
}

static void every_complaint_at_once(Fixture *fixture, const void *data) {
  (void)g_unsetenv("PX_TEST_NONE");
  g_autofree char *message = refusal(write_file(fixture, "a.yaml", "x: ${PX_TEST_NONE}\ny: {file: none}\n"));
  assert_contains(message, "a.yaml:1: ");
  assert_contains(message, "\n");
  assert_contains(message, "a.yaml:2: ");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

void add_load_tests(void) {
  ADD("/config/load/later_file_wins_key_by_key", later_file_wins);
  ADD("/config/load/includes", includes);
  ADD("/config/load/include_circle", include_circle);
  ADD("/config/load/include_missing", include_missing);
  ADD("/config/load/include_fan_is_bounded", include_fan);
  ADD("/config/load/unreadable", unreadable);
  ADD("/config/load/environment", environment);
  ADD("/config/load/overridden_secret_is_not_asked_for", overridden_secret_is_not_asked_for);
  ADD("/config/load/file_values", file_values);
  ADD("/config/load/dump_hides_secrets_and_can_be_read", dump);
  ADD("/config/load/paths", paths);
  ADD("/config/load/every_complaint_at_once", every_complaint_at_once);
}
