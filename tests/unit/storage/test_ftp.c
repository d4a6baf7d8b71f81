/* SPDX-License-Identifier: Apache-2.0 */
/* What only FTP has: several connections, of which a server may refuse some. */
#include "test_ftpd.h"
#include "test_storage.h"

#include <unistd.h>

#define FILES 60u
#define LOOKS 500u

typedef struct {
  uint64_t files, bytes;
} Seen;

static bool see_file(const PxFileInfo *info, void *data) {
  Seen *seen = data;
  seen->files++;
  seen->bytes += info->size;
  return true;
}

static void write_files(const Fixture *fixture, PxExpected *expected, char (*names)[8]) {
  make_directory(fixture, "in");
  for (unsigned i = 0; i < FILES; i++) {
    (void)g_snprintf(names[i], sizeof names[i], "%03u", i);
    expected[i] = (PxExpected){.path = "in", .name = names[i], .size = 3};
    g_autofree char *path = g_strconcat("in/", names[i], NULL);
    write_file(fixture, path, names[i]);
  }
}

static void assert_reads_all(const Fixture *fixture, PxStorage *storage) {
  g_autoptr(GError) error = NULL;
  PxExpected expected[FILES];
  char names[FILES][8];
  write_files(fixture, expected, names);
  for (unsigned round = 0; round < 2; round++) {
    px_storage_expect(storage, expected, FILES);
    for (unsigned i = 0; i < FILES; i++) {
      PxFileInfo info;
      char text[8] = "";
      g_autoptr(PxReading) reading = px_storage_open_read(storage, "in", names[i], &info, &error);
      g_assert_no_error(error);
      g_assert_cmpint(px_storage_read(reading, text, sizeof text, &error), ==, 3);
      g_assert_cmpstr(text, ==, names[i]);
      g_assert_cmpint(px_storage_read(reading, text, sizeof text, &error), ==, 0);
    }
    px_storage_expect(storage, NULL, 0);
  }
}

static void server_that_takes_one_connection(Fixture *fixture, const void *data) {
  g_autofree char *settings = vsftpd_alone_config(fixture->drop);
  g_auto(Other) other = other_of_type("ftp", settings);
  for (unsigned i = 0; !px_storage_check(other.storage, false, NULL); i++) { /* whoever looked whether it listens is still counted */
    g_assert_cmpuint(i, <, LOOKS);
    g_usleep(20000);
  }
  assert_reads_all(fixture, other.storage);
}

static void one_connection(Fixture *fixture, const void *data) {
  g_auto(Other) other = other_with(fixture, data, "connections: 1");
  assert_reads_all(fixture, other.storage);
}

static void many_connections(Fixture *fixture, const void *data) {
  g_auto(Other) other = other_with(fixture, data, "connections: 16");
  assert_reads_all(fixture, other.storage);
}

static void active(Fixture *fixture, const void *data) {
  g_auto(Other) other = other_with(fixture, data, "active: true");
  assert_reads_all(fixture, other.storage);
}

/* The next call that has no use for them hangs up. */
static void putting_leaves_nothing_open(Fixture *fixture, const void *data) {
  PxUpload uploads[FILES];
  char names[FILES][8];
  Seen seen = {0};
  g_assert_true(px_storage_check(fixture->storage, false, NULL));
  for (unsigned i = 0; i < FILES; i++) {
    (void)g_snprintf(names[i], sizeof names[i], "%03u", i);
    uploads[i] = (PxUpload){.path = "", .name = names[i], .fd = text_fd(names[i]), .size = 3};
  }
  unsigned descriptors = count_names("/proc/self/fd");
  unsigned threads = count_names("/proc/self/task");
  g_assert_true(px_storage_put_all(fixture->storage, uploads, FILES, NULL, NULL));
  g_assert_cmpuint(count_names("/proc/self/task"), ==, threads);
  g_assert_true(px_storage_list(fixture->storage, "", false, see_file, &seen, NULL));
  g_assert_cmpuint(seen.files, ==, FILES);
  g_assert_cmpuint(seen.bytes, ==, 3 * FILES);
  g_assert_cmpuint(count_names("/proc/self/fd"), ==, descriptors);
  for (unsigned i = 0; i < FILES; i++) {
    g_assert_cmpstr(uploads[i].ret_name, ==, names[i]);
    g_free(uploads[i].ret_name);
    (void)close(uploads[i].fd);
  }
}

static void add_for(const char *server, const char *name, const Driver *driver, Test test) {
  g_autofree char *path = g_strdup_printf("/storage/%s/%s", server, name);
  g_test_add(path, Fixture, driver, fixture_set_up, test, fixture_tear_down);
}

void add_ftp_tests(const Driver *vsftpd, const Driver *pyftpdlib) {
  g_test_add("/storage/ftp/server_that_takes_one_connection", Fixture, NULL, fixture_set_up, server_that_takes_one_connection, fixture_tear_down);
  for (unsigned i = 0; i < 2; i++) {
    const Driver *driver = i ? pyftpdlib : vsftpd;
    add_for(driver->name, "one_connection", driver, one_connection);
    add_for(driver->name, "many_connections", driver, many_connections);
    add_for(driver->name, "active", driver, active);
    add_for(driver->name, "putting_leaves_nothing_open", driver, putting_leaves_nothing_open);
  }
}
