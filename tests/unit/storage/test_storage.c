/* SPDX-License-Identifier: Apache-2.0 */
#include "test_storage.h"

#include "storage/file_private.h"
#include "test_ftpd.h"
#include "test_s3d.h"
#include "test_sshd.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw) {
  return remove(path);
}

void remove_tree(const char *path) {
  (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static char *file_config(const char *directory) {
  return g_strconcat("directory: ", directory, NULL);
}

#define VSFTPD_DENIED "the server says: 55"

static const Driver drivers[] = {
  {.type = "file", .config = file_config},
  {.type = "sftp", .config = sshd_config},
  {.type = "s3", .config = s3d_config, .is_flat = true},
  {.type = "ftp", .name = "vsftpd", .denied = VSFTPD_DENIED, .lacks = LACKS_LINE_ENDS | LACKS_OPENING, .config = vsftpd_plain_config},
  {.type = "ftp", .name = "vsftpd-explicit", .denied = VSFTPD_DENIED, .lacks = LACKS_LINE_ENDS | LACKS_OPENING, .config = vsftpd_explicit_config},
  {.type = "ftp", .name = "vsftpd-implicit", .denied = VSFTPD_DENIED, .lacks = LACKS_LINE_ENDS | LACKS_OPENING, .config = vsftpd_implicit_config},
  {.type = "ftp",
   .name = "pyftpdlib",
   .denied = "the server says: 550",
   .lacks = LACKS_LINE_ENDS | LACKS_OPENING | LACKS_KINDS,
   .config = pyftpd_config},
};

bool driver_lacks(const void *data, unsigned what) {
  const Driver *driver = data;
  return driver->lacks & what;
}

const char *driver_denied(const void *data) {
  const Driver *driver = data;
  return driver->denied ? driver->denied : "Permission denied";
}

void other_clear(Other *other) {
  px_storage_close(other->storage);
  px_storages_free(other->storages);
  px_config_free(other->config);
}

Other other_of_type(const char *type, const char *settings) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(GError) error = NULL;
  g_autofree char *text = g_strdup_printf("storages: {drop: {type: %s, %s}}", type, settings);
  Other other = {.config = px_config_parse(text, "t", NULL)};
  g_assert_nonnull(other.config);
  other.storages = px_storages_read(other.config, complaints);
  bool ok = px_complaints_to_error(complaints, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
  other.storage = px_storage_open(other.storages, "drop", false, NULL);
  return other;
}

Other other_with(const Fixture *fixture, const void *data, const char *more) {
  const Driver *driver = data;
  g_autofree char *own = driver->config(fixture->drop);
  g_autofree char *settings = g_strdup_printf("%s, %s", own, more);
  return other_of_type(driver->type, settings);
}

static void add_for(const Driver *driver, const char *name, Test test) {
  g_autofree char *path = g_strdup_printf("/storage/%s/%s", driver->name ? driver->name : driver->type, name);
  g_test_add(path, Fixture, driver, fixture_set_up, test, fixture_tear_down);
}

void add_for_all(const char *name, Test test) {
  for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++)
    add_for(&drivers[i], name, test);
}

void add_for_trees(const char *name, Test test) {
  for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
    if (!drivers[i].is_flat)
      add_for(&drivers[i], name, test);
  }
}

void fixture_set_up(Fixture *fixture, const void *data) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  fixture->directory = g_dir_make_tmp("pattimpex-test-XXXXXX", NULL);
  fixture->drop = g_build_filename(fixture->directory, "drop", NULL);
  g_assert_cmpint(g_mkdir_with_parents(fixture->drop, 0755), ==, 0);
  const Driver *driver = data ? data : &drivers[0];
  g_autofree char *settings = driver->config(fixture->drop);
  g_autofree char *text = g_strdup_printf("storages: {drop: {type: %s, %s}}", driver->type, settings);
  fixture->config = px_config_parse(text, "t", NULL);
  fixture->storages = px_storages_read(fixture->config, complaints);
  g_assert_cmpuint(px_complaints_errors(complaints), ==, 0);
  fixture->storage = px_storage_open(fixture->storages, "drop", false, NULL);
  fixture->dry = px_storage_open(fixture->storages, "drop", true, NULL);
}

void fixture_tear_down(Fixture *fixture, const void *data) {
  px_file_quirks = 0;
  px_storage_close(fixture->storage);
  px_storage_close(fixture->dry);
  px_storages_free(fixture->storages);
  px_config_free(fixture->config);
  remove_tree(fixture->directory);
  g_free(fixture->drop);
  g_free(fixture->directory);
}

void write_file(const Fixture *fixture, const char *name, const char *text) {
  g_autofree char *path = g_build_filename(fixture->drop, name, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

void make_directory(const Fixture *fixture, const char *name) {
  g_autofree char *path = g_build_filename(fixture->drop, name, NULL);
  g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
}

char *read_file(const Fixture *fixture, const char *name) {
  g_autofree char *path = g_build_filename(fixture->drop, name, NULL);
  char *text = NULL;
  (void)g_file_get_contents(path, &text, NULL, NULL);
  return text;
}

void assert_file(const Fixture *fixture, const char *name, const char *text) {
  g_autofree char *found = read_file(fixture, name);
  g_assert_cmpstr(found, ==, text);
}

static int compare(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

unsigned count_names(const char *path) {
  unsigned n = 0;
  g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
  while (g_dir_read_name(directory))
    n++;
  return n;
}

static GPtrArray *walked;
static size_t walked_from;

static int walk(const char *path, const struct stat *status, int type, struct FTW *ftw) {
  if (ftw->level > 0)
    g_ptr_array_add(walked, g_strconcat(path + walked_from + 1, type == FTW_D ? "/" : NULL, NULL));
  return 0;
}

char *tree(const Fixture *fixture) {
  walked = g_ptr_array_new_with_free_func(g_free);
  walked_from = strlen(fixture->drop);
  g_assert_cmpint(nftw(fixture->drop, walk, 16, FTW_PHYS), ==, 0);
  g_ptr_array_sort(walked, compare);
  g_ptr_array_add(walked, NULL);
  char *names = g_strjoinv(" ", (char **)walked->pdata);
  g_ptr_array_unref(walked);
  return names;
}

void assert_fails(bool ok, GError **error, int code, const char *part) {
  g_assert_false(ok);
  g_assert_error(*error, PX_ERROR, code);
  if (!strstr((*error)->message, part))
    g_error("\"%s\" does not contain \"%s\"", (*error)->message, part);
  g_clear_error(error);
}

int text_fd(const char *text) {
  char path[] = "/tmp/pattimpex-test-XXXXXX";
  int fd = mkstemp(path);
  g_assert_cmpint(fd, >=, 0);
  (void)unlink(path);
  g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
  g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
  return fd;
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  (void)signal(SIGXFSZ, SIG_IGN);
  /* A directory for temporary files that no other program uses, so that what is left behind can be counted. */
  char temporary[] = "/tmp/pattimpex-test-XXXXXX";
  g_assert_nonnull(mkdtemp(temporary));
  (void)g_setenv("TMPDIR", temporary, TRUE);
  add_storages_tests();
  add_contract_tests();
  add_sftp_tests(&drivers[1]);
  add_s3_tests();
  add_s3_sign_tests();
  add_s3_xml_tests();
  add_ftp_tests(&drivers[3], &drivers[6]);
  add_ftp_list_tests();
  add_file_tests();
  add_put_tests();
  add_put_all_tests();
  add_filestore_tests();
  add_spools_tests();
  int status = g_test_run();
  sshd_stop();
  s3d_stop();
  ftpd_stop();
  remove_tree(temporary);
  return status;
}
