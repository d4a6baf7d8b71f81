/* SPDX-License-Identifier: Apache-2.0 */
/* What storage.h promises of every driver. Here is what only reading, many files, big files and rights show; test_file.c and test_put.c
 * add what they have for all. */
#include "test_storage.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIG_BYTES ((size_t)9 * 1024 * 1024 + 17)
#define MANY 1500

/* ---- reading */

static PxReading *open_in(const Fixture *fixture, const char *path, const char *name, PxFileInfo *ret_info) {
  g_autoptr(GError) error = NULL;
  PxReading *reading = px_storage_open_read(fixture->storage, path, name, ret_info, &error);
  g_assert_no_error(error);
  return reading;
}

/* All that is left, at most so many bytes a call; NULL with an error. */
static GString *read_all(PxReading *reading, size_t piece, GError **error) {
  g_autoptr(GString) all = g_string_new(NULL);
  g_autofree char *buffer = g_malloc(piece);
  ssize_t got;
  while ((got = px_storage_read(reading, buffer, piece, error)) > 0)
    g_string_append_len(all, buffer, got);
  return got < 0 ? NULL : g_steal_pointer(&all);
}

static char *big_text(void) {
  char *text = g_malloc(BIG_BYTES + 1);
  for (size_t i = 0; i < BIG_BYTES; i++)
    text[i] = (char)('a' + (i * 7 + i / 4096) % 26);
  text[BIG_BYTES] = 0;
  return text;
}

static void assert_reads(const Fixture *fixture, const char *name, const char *text, size_t piece) {
  g_autoptr(GError) error = NULL;
  PxFileInfo info;
  g_autoptr(PxReading) reading = open_in(fixture, "in", name, &info);
  g_assert_cmpstr(info.name, ==, name);
  g_assert_cmpuint(info.size, ==, strlen(text));
  g_assert_null(info.refused);
  g_autoptr(GString) all = read_all(reading, piece, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(all->len, ==, strlen(text));
  g_assert_true(strcmp(all->str, text) == 0);
}

static void reads(Fixture *fixture, const void *data) {
  static const char *const names[] = {"a.csv", "with blank.csv", "Größe +%.csv", "quote'\"$.csv", "-dash", "a\\b", "*.csv"};
  make_directory(fixture, "in");
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_strconcat("in/", names[i], NULL);
    write_file(fixture, path, names[i]);
    assert_reads(fixture, names[i], names[i], 4);
  }
  write_file(fixture, "in/empty", "");
  assert_reads(fixture, "empty", "", 10);
}

static void reads_big(Fixture *fixture, const void *data) {
  g_autofree char *text = big_text();
  make_directory(fixture, "in");
  write_file(fixture, "in/big", text);
  assert_reads(fixture, "big", text, 100000);
  assert_reads(fixture, "big", text, 4 * 1024 * 1024);
}

static void tells_the_time(Fixture *fixture, const void *data) {
  PxFileInfo info;
  write_file(fixture, "a", "x");
  g_autofree char *path = g_build_filename(fixture->drop, "a", NULL);
  const struct timespec times[] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
  g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
  g_autoptr(PxReading) reading = open_in(fixture, "", "a", &info);
  g_assert_cmpint(info.mtime_ns, ==, INT64_C(1700000000000000000));
  g_assert_cmpint(info.mtime_precision_ns, ==, INT64_C(2000000000));
}

/* Nothing of it disturbs what comes next. */
static void closed_early(Fixture *fixture, const void *data) {
  PxFileInfo info;
  char piece[10];
  g_autofree char *text = big_text();
  make_directory(fixture, "in");
  write_file(fixture, "in/big", text);
  for (unsigned i = 0; i < 3; i++) {
    g_autoptr(PxReading) reading = open_in(fixture, "in", "big", &info);
    g_assert_cmpint(px_storage_read(reading, piece, sizeof piece, NULL), ==, sizeof piece);
  }
  px_storage_close_read(open_in(fixture, "in", "big", &info));
  assert_reads(fixture, "big", text, 1000000);
}

static void append(const Fixture *fixture, const char *name, const char *text) {
  g_autofree char *path = g_build_filename(fixture->drop, name, NULL);
  int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
  (void)close(fd);
}

static void other_size(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxFileInfo info;
  write_file(fixture, "a", "four");
  {
    g_autoptr(PxReading) reading = open_in(fixture, "", "a", &info);
    append(fixture, "a", "five");
    g_autoptr(GString) all = read_all(reading, 100, &error);
    assert_fails(all != NULL, &error, PX_ERROR_TRANSIENT, "storage drop: a: there are more than the 4 bytes it had");
  }
  {
    g_autofree char *path = g_build_filename(fixture->drop, "a", NULL);
    g_autoptr(PxReading) reading = open_in(fixture, "", "a", &info);
    g_assert_cmpint(truncate(path, 3), ==, 0);
    g_autoptr(GString) all = read_all(reading, 100, &error);
    assert_fails(all != NULL, &error, PX_ERROR_TRANSIENT, "storage drop: a: there are fewer than the 8 bytes it had");
  }
  g_assert_true(px_storage_remove(fixture->storage, "", "a", NULL));
}

#define EXPECTED 200u

static bool count_files(const PxFileInfo *info, void *data) {
  ++*(unsigned *)data;
  return true;
}

static void write_expected(const Fixture *fixture, PxExpected *expected, char (*names)[8]) {
  make_directory(fixture, "in");
  for (unsigned i = 0; i < EXPECTED; i++) {
    (void)g_snprintf(names[i], sizeof names[i], "%03u", i);
    expected[i] = (PxExpected){.path = "./in", .name = names[i], .size = 3};
    g_autofree char *path = g_strconcat("in/", names[i], NULL);
    write_file(fixture, path, names[i]);
  }
}

/* In their order, with gaps, with other calls in between, and files that nobody expects. */
static void reads_what_was_expected(Fixture *fixture, const void *data) {
  PxExpected expected[EXPECTED];
  char names[EXPECTED][8];
  write_expected(fixture, expected, names);
  write_file(fixture, "in/stranger", "me");
  px_storage_expect(fixture->storage, expected, EXPECTED);
  for (unsigned i = 0; i < EXPECTED; i++) {
    unsigned n = 0;
    if (i % 7 == 3)
      continue;
    assert_reads(fixture, names[i], names[i], i % 2 ? 2 : 100);
    if (i == 20)
      g_assert_true(px_storage_list(fixture->storage, "in", false, count_files, &n, NULL) && n == EXPECTED + 1);
    if (i == 30)
      g_assert_true(px_storage_move(fixture->storage, "in", names[i], "done", names[i], NULL));
    if (i == 40)
      assert_reads(fixture, "stranger", "me", 100);
    if (i == 50)
      assert_reads(fixture, names[2], names[2], 100);
  }
  px_storage_expect(fixture->storage, expected, EXPECTED);
  assert_reads(fixture, names[0], names[0], 100);
  px_storage_expect(fixture->storage, NULL, 0);
  assert_reads(fixture, names[1], names[1], 100);
}

/* What is wrong with one is that one's alone, and is told as of any other file. */
static void expects_what_is_not_so(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxExpected expected[EXPECTED];
  char names[EXPECTED][8];
  PxFileInfo info;
  g_autofree char *text = big_text();
  write_expected(fixture, expected, names);
  append(fixture, "in/001", " grew");
  expected[2].name = "gone";
  expected[3].name = "..";
  expected[4].path = "nowhere";
  expected[5].path = "../in";
  write_file(fixture, "in/006", text);
  write_file(fixture, "in/007", "");
  px_storage_expect(fixture->storage, expected, EXPECTED);
  assert_reads(fixture, names[0], "000", 100);
  assert_reads(fixture, names[1], "001 grew", 100);
  assert_fails(px_storage_open_read(fixture->storage, "in", "gone", &info, &error) != NULL, &error, PX_ERROR_NOT_FOUND, "in/gone");
  assert_fails(px_storage_open_read(fixture->storage, "in", "..", &info, &error) != NULL, &error, PX_ERROR_REFUSED, "..");
  assert_fails(px_storage_open_read(fixture->storage, "nowhere", names[4], &info, &error) != NULL, &error, PX_ERROR_NOT_FOUND, "nowhere");
  assert_reads(fixture, names[6], text, 100000);
  assert_reads(fixture, names[7], "", 100);
  assert_reads(fixture, names[8], "008", 100);
}

/* Sizes of which some do not go beside others into what may be read before it is asked for. */
static void expects_under_a_limit(Fixture *fixture, const void *data) {
  static const unsigned sizes[] = {10000, 25000, 4000, 30001, 1, 29000};
  PxExpected expected[G_N_ELEMENTS(sizes)];
  char names[G_N_ELEMENTS(sizes)][8];
  g_auto(Other) other = other_with(fixture, data, "bandwidth_limit: 300000");
  make_directory(fixture, "in");
  for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autofree char *text = g_strnfill(sizes[i], 'x');
    (void)g_snprintf(names[i], sizeof names[i], "%03u", i);
    expected[i] = (PxExpected){.path = "in", .name = names[i], .size = sizes[i]};
    g_autofree char *path = g_strconcat("in/", names[i], NULL);
    write_file(fixture, path, text);
  }
  g_assert_true(px_storage_check(other.storage, false, NULL));
  int64_t began = g_get_monotonic_time();
  px_storage_expect(other.storage, expected, G_N_ELEMENTS(sizes));
  for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
    PxFileInfo info;
    char sha256[65];
    g_autoptr(PxReading) reading = px_storage_open_read(other.storage, "in", names[i], &info, NULL);
    g_assert_cmpuint(info.size, ==, sizes[i]);
    g_assert_true(px_storage_digest(reading, sha256, NULL));
  }
  px_storage_expect(other.storage, NULL, 0);
  g_assert_cmpint(g_get_monotonic_time() - began, >=, 98002 * INT64_C(1000000) / 300000);
}

/* Neither descriptors nor threads, whatever was begun and not asked for. */
static void expecting_leaves_nothing_open(Fixture *fixture, const void *data) {
  PxExpected expected[EXPECTED];
  char names[EXPECTED][8];
  write_expected(fixture, expected, names);
  g_assert_true(px_storage_check(fixture->storage, false, NULL));
  unsigned descriptors = count_names("/proc/self/fd");
  unsigned threads = count_names("/proc/self/task");
  for (unsigned round = 0; round < 3; round++) {
    px_storage_expect(fixture->storage, expected, EXPECTED);
    for (unsigned i = 0; i < 5; i++)
      assert_reads(fixture, names[i], names[i], 100);
    px_storage_expect(fixture->storage, NULL, 0);
    g_assert_cmpuint(count_names("/proc/self/fd"), ==, descriptors);
    g_assert_cmpuint(count_names("/proc/self/task"), ==, threads);
  }
  px_storage_expect(fixture->storage, expected, EXPECTED); /* and so it is closed */
  assert_reads(fixture, names[0], names[0], 100);
}

static void digest(Fixture *fixture, const void *data) {
  PxFileInfo info;
  char sha256[65];
  g_autofree char *text = big_text();
  g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  write_file(fixture, "big", text);
  g_autoptr(PxReading) reading = open_in(fixture, "", "big", &info);
  g_assert_true(px_storage_digest(reading, sha256, NULL));
  g_assert_cmpstr(sha256, ==, expected);
}

/* ---- many, big, twice */

typedef struct {
  unsigned n;
  uint64_t bytes;
  char *last;
} Seen;

static bool see(const PxFileInfo *file, void *data) {
  Seen *seen = data;
  g_assert_cmpstr(seen->last, <, file->name);
  g_free(seen->last);
  seen->last = g_strdup(file->name);
  seen->bytes += file->size;
  seen->n++;
  return true;
}

static void lists_many(Fixture *fixture, const void *data) {
  Seen seen = {.last = g_strdup("")};
  make_directory(fixture, "in");
  for (unsigned i = 0; i < MANY; i++) {
    g_autofree char *name = g_strdup_printf("in/%05u-a-name-that-takes-some-room.csv", i * 7919 % MANY);
    write_file(fixture, name, "12");
  }
  g_assert_true(px_storage_list(fixture->storage, "in", false, see, &seen, NULL));
  g_assert_cmpuint(seen.n, ==, MANY);
  g_assert_cmpuint(seen.bytes, ==, 2 * MANY);
  g_free(seen.last);
}

static void path_must_exist(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  Seen seen = {0};
  make_directory(fixture, "in");
  g_auto(Other) other = other_with(fixture, data, "path_must_exist: true");
  g_assert_true(px_storage_list(other.storage, "in", false, see, &seen, NULL));
  assert_fails(px_storage_list(other.storage, "in/none", false, see, &seen, &error), &error, PX_ERROR_UNREACHABLE,
               "in/none: cannot list: No such file or directory; make it");
}

/* What a listing of a whole tree has seen: "path:name " after each other. */
static bool note_place(const char *path, const PxFileInfo *file, void *data) {
  g_assert_cmpuint(file->size, ==, 2);
  g_string_append_printf(data, "%s:%s ", path, file->name);
  return true;
}

static bool is_not_done(const char *path, void *data) {
  return !g_str_has_suffix(path, "done");
}

static void lists_trees(Fixture *fixture, const void *data) {
  static const char *const folders[] = {"in",        "in/a dir",   "in/a dir/deep",   "in/done", "in/z",
                                        "in/z/done", "in/.hidden", "in/.pattimpex-1", "in/empty"};
  static const char *const files[] = {"in/b", "in/a dir/c", "in/a dir/deep/d", "in/done/e", "in/z/done/f", "in/.hidden/g", "in/.pattimpex-1/h"};
  g_autoptr(GString) seen = g_string_new(NULL);
  bool missing = true;
  for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
    make_directory(fixture, folders[i]);
  for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
    write_file(fixture, files[i], "12");
  g_assert_true(px_storage_list_tree(fixture->storage, "in", is_not_done, note_place, seen, &missing, NULL));
  g_assert_cmpstr(seen->str, ==, "in:b in/a dir:c in/a dir/deep:d ");
  g_assert_false(missing);
  g_string_truncate(seen, 0);
  g_assert_true(px_storage_list_tree(fixture->storage, "in/", NULL, note_place, seen, &missing, NULL));
  g_assert_cmpstr(seen->str, ==, "in:b ");
  g_assert_true(px_storage_list_tree(fixture->storage, "none", is_not_done, note_place, seen, &missing, NULL));
  g_assert_true(missing);
}

static void lists_no_file(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  Seen seen = {0};
  write_file(fixture, "a", "");
  assert_fails(px_storage_list(fixture->storage, "a", false, see, &seen, &error), &error, PX_ERROR_REFUSED, "storage drop: a: ");
}

static void puts_big(Fixture *fixture, const void *data) {
  g_autofree char *text = big_text();
  g_autofree char *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  g_autoptr(GError) error = NULL;
  int fd = text_fd(text);
  g_assert_true(px_storage_put(fixture->storage, "a/b/c d", "Größe.csv", fd, BIG_BYTES, sha256, PX_EXISTS_FAIL, NULL, &error));
  g_assert_no_error(error);
  (void)close(fd);
  assert_file(fixture, "a/b/c d/Größe.csv", text);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "a/ a/b/ a/b/c d/ a/b/c d/Größe.csv");
}

static void through_a_file(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  write_file(fixture, "out", "no directory");
  int fd = text_fd("x");
  assert_fails(px_storage_put(fixture->storage, "out", "x", fd, 1, "", PX_EXISTS_REPLACE, NULL, &error), &error, PX_ERROR_REFUSED,
               "storage drop: out");
  assert_fails(px_storage_move(fixture->storage, "", "out", "out/deep", "x", &error), &error, PX_ERROR_REFUSED, "storage drop: out");
  (void)close(fd);
  assert_file(fixture, "out", "no directory");
}

/* The bytes stay the caller's until the whole of them is there. */
static void source_that_fails(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  int fd = open(fixture->drop, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  assert_fails(px_storage_put(fixture->storage, "", "x", fd, 5, "", PX_EXISTS_REPLACE, NULL, &error), &error, PX_ERROR_TRANSIENT, "x: cannot read");
  (void)close(fd);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "");
}

static void move_keeps_the_time(Fixture *fixture, const void *data) {
  PxFileInfo before;
  PxFileInfo after;
  write_file(fixture, "a", "one");
  px_storage_close_read(open_in(fixture, "", "a", &before));
  int64_t mtime = before.mtime_ns;
  g_assert_true(px_storage_move(fixture->storage, "", "a", "done", "b", NULL));
  px_storage_close_read(open_in(fixture, "done", "b", &after));
  g_assert_cmpint(after.mtime_ns, ==, mtime);
}

/* Only that it is not too fast can be said of a machine that does other things too. */
static void bandwidth_limit(Fixture *fixture, const void *data) {
  g_autofree char *text = g_strnfill(30000, 'x');
  g_autofree char *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  g_auto(Other) other = other_with(fixture, data, "bandwidth_limit: 300000");
  int fd = text_fd(text);
  int64_t began = g_get_monotonic_time();
  g_assert_true(px_storage_put(other.storage, "", "a", fd, 30000, sha256, PX_EXISTS_FAIL, NULL, NULL));
  int64_t put = g_get_monotonic_time();
  (void)close(fd);
  assert_file(fixture, "a", text);
  PxFileInfo info;
  char found[65];
  g_autoptr(PxReading) reading = px_storage_open_read(other.storage, "", "a", &info, NULL);
  g_assert_true(px_storage_digest(reading, found, NULL));
  g_assert_cmpstr(found, ==, sha256);
  g_assert_cmpint(put - began, >=, 100000);
  g_assert_cmpint(g_get_monotonic_time() - put, >=, 100000);
}

/* ---- rights */

/* The rights of root to everything, for the calling process. */
static void set_rights(bool on) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2];
  const unsigned rights = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
  g_assert_cmpint((int)syscall(SYS_capget, &header, sets), ==, 0);
  sets[0].effective = on ? sets[0].effective | (rights & sets[0].permitted) : sets[0].effective & ~rights;
  g_assert_cmpint((int)syscall(SYS_capset, &header, sets), ==, 0);
}

static void without_rights(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxFileInfo info;
  Seen seen = {0};
  make_directory(fixture, "locked");
  write_file(fixture, "locked/a", "x");
  write_file(fixture, "secret", "x");
  g_autofree char *secret = g_build_filename(fixture->drop, "secret", NULL);
  g_autofree char *locked = g_build_filename(fixture->drop, "locked", NULL);
  g_assert_cmpint(chmod(secret, 0) + chmod(locked, 0500), ==, 0);
  int fd = text_fd("x");
  set_rights(false);
  PxStorage *storage = fixture->storage;
  {
    g_autoptr(PxReading) reading = px_storage_open_read(storage, "", "secret", &info, &error);
    char byte;
    bool is_lazy = reading && driver_lacks(data, LACKS_OPENING);
    assert_fails(is_lazy ? px_storage_read(reading, &byte, 1, &error) >= 0 : reading != NULL, &error, is_lazy ? PX_ERROR_TRANSIENT : PX_ERROR_REFUSED,
                 "secret: cannot open: ");
  }
  assert_fails(px_storage_put(storage, "locked", "b", fd, 1, "", PX_EXISTS_FAIL, NULL, &error), &error, PX_ERROR_UNREACHABLE, "locked/b: cannot");
  assert_fails(px_storage_put(storage, "locked/new", "b", fd, 1, "", PX_EXISTS_FAIL, NULL, &error), &error, PX_ERROR_UNREACHABLE, "locked/new");
  assert_fails(px_storage_move(storage, "locked", "a", "", "b", &error), &error, PX_ERROR_UNREACHABLE, "give pattimpex the right to it");
  assert_fails(px_storage_remove(storage, "locked", "a", &error), &error, PX_ERROR_UNREACHABLE, driver_denied(data));
  g_assert_cmpint(chmod(locked, 0), ==, 0);
  assert_fails(px_storage_list(storage, "locked", false, see, &seen, &error), &error, PX_ERROR_UNREACHABLE, driver_denied(data));
  g_assert_cmpint(chmod(locked, 0700), ==, 0);
  set_rights(true);
  (void)close(fd);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "locked/ locked/a secret");
}

static void check_without_rights(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(chmod(fixture->drop, 0500), ==, 0);
  set_rights(false);
  g_assert_true(px_storage_check(fixture->storage, false, &error));
  assert_fails(px_storage_check(fixture->storage, true, &error), &error, PX_ERROR_UNREACHABLE, driver_denied(data));
  g_assert_cmpint(chmod(fixture->drop, 0700), ==, 0);
  set_rights(true);
}

static void missing_directory(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  remove_tree(fixture->drop);
  assert_fails(px_storage_check(fixture->storage, false, &error), &error, PX_ERROR_UNREACHABLE, "make it, or correct the setting \"directory\"");
  g_assert_cmpint(g_mkdir_with_parents(fixture->drop, 0755), ==, 0);
  g_assert_true(px_storage_check(fixture->storage, true, NULL));
}

void add_contract_tests(void) {
  add_for_all("reads", reads);
  add_for_all("reads_big", reads_big);
  add_for_all("tells_the_time", tells_the_time);
  add_for_all("closed_early", closed_early);
  add_for_all("other_size_is_an_error", other_size);
  add_for_all("reads_what_was_expected", reads_what_was_expected);
  add_for_all("expects_what_is_not_so", expects_what_is_not_so);
  add_for_all("expects_under_a_limit", expects_under_a_limit);
  add_for_all("expecting_leaves_nothing_open", expecting_leaves_nothing_open);
  add_for_all("digest", digest);
  add_for_all("lists_many", lists_many);
  add_for_all("lists_trees", lists_trees);
  add_for_all("lists_no_file", lists_no_file);
  add_for_all("path_must_exist", path_must_exist);
  add_for_all("puts_big", puts_big);
  add_for_trees("no_directory_through_a_file", through_a_file);
  add_for_all("source_that_fails_leaves_nothing", source_that_fails);
  add_for_trees("move_keeps_the_time", move_keeps_the_time);
  add_for_all("bandwidth_limit", bandwidth_limit);
  add_for_trees("without_rights", without_rights);
  add_for_trees("check_without_rights", check_without_rights);
  add_for_trees("directory_that_is_not_there", missing_directory);
}
