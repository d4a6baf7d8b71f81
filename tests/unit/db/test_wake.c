/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that wake, and interrupt, one another. */
#include "fixture.h"
#include "tests.h"

#include <poll.h>
#include <unistd.h>

static bool is_awake(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 0) == 1;
}

/* It may have to come over a socket. */
static bool is_woken(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 20000) == 1;
}

static void notify(PxDb *db) {
  begin(db, PX_TX_WRITE);
  px_db_notify(db);
}

static void commit_wakes_who_listens(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) other = open_url(f->url, false);
  int fd = px_db_listen(f->db);
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(px_db_listen(f->db), ==, fd);
  notify(other);
  g_assert_false(is_awake(fd));
  commit(other);
  g_assert_true(is_woken(fd));
  px_db_heard(f->db);
  g_assert_false(is_awake(fd));
}

static void rollback_and_silence_wake_nobody(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) other = open_url(f->url, false);
  int fd = px_db_listen(f->db);
  notify(other);
  px_db_rollback(other);
  begin(other, PX_TX_WRITE);
  commit(other);
  g_assert_false(is_awake(fd));
}

static void nobody_listens_no_file(Fixture *f, gconstpointer data) {
  g_autofree char *path = g_strconcat(f->path, "-pattimpex-wake", NULL);
  notify(f->db);
  commit(f->db);
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void listens_on_when_the_file_is_removed(Fixture *f, gconstpointer data) {
  g_autofree char *path = g_strconcat(f->path, "-pattimpex-wake", NULL);
  int fd = px_db_listen(f->db);
  g_assert_cmpint(unlink(path), ==, 0);
  px_db_heard(f->db);
  notify(f->db);
  commit(f->db);
  g_assert_true(is_awake(fd));
}

static gpointer interrupt_soon(gpointer db) {
  while (!px_db_has_waiters(db))
    g_thread_yield();
  px_db_interrupt(db);
  return NULL;
}

static void interrupt_ends_the_wait_for_a_lock(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDb) other = open_url(f->url, false);
  begin(f->db, PX_TX_WRITE);
  GThread *thread = g_thread_new("interrupt", interrupt_soon, other);
  g_assert_false(px_db_begin(other, PX_TX_WRITE, &error));
  assert_code(error, PX_ERROR_TRANSIENT);
  g_thread_join(thread);
  commit(f->db);
  begin(other, PX_TX_WRITE); /* what begins later works */
  commit(other);
}

void add_wake_tests(void) {
#define ADD(path, function) g_test_add("/db/sqlite/" path, Fixture, OVER_SQLITE, set_up, function, tear_down)
  ADD_BOTH("wake/commit_wakes_who_listens", set_up, commit_wakes_who_listens);
  ADD_BOTH("wake/rollback_and_silence_wake_nobody", set_up, rollback_and_silence_wake_nobody);
  ADD("wake/nobody_listens_no_file", nobody_listens_no_file);
  ADD("wake/listens_on_when_the_file_is_removed", listens_on_when_the_file_is_removed);
  ADD("wake/interrupt_ends_the_wait_for_a_lock", interrupt_ends_the_wait_for_a_lock);
#undef ADD
}
