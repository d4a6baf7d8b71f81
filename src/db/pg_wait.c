/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the server: waited for without an end, or on a connection that has a limit until a time, after which it is given up. */
#include "db/pg_private.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

void px_pg_begin_wait(PxPg *pg) {
  atomic_store(&pg->waiting, ++pg->waits);
}

void px_pg_end_wait(PxPg *pg) {
  atomic_store(&pg->waiting, 0);
}

/* Over a socket of this machine nothing gets lost. */
static bool count_moved(int socket, uint64_t *ret_moved) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return false;
  *ret_moved = info.tcpi_bytes_acked + info.tcpi_bytes_received;
  return true;
}

void px_pg_wait(PxPg *pg, PxDbWait *ret_wait) {
  *ret_wait = (PxDbWait){0};
  if (!g_mutex_trylock(&pg->socket_lock)) /* it is being connected again */
    return;
  uint64_t moved;
  if (pg->socket >= 0 && pg->process && count_moved(pg->socket, &moved))
    *ret_wait = (PxDbWait){.number = atomic_load(&pg->waiting), .moved = moved, .process = pg->process, .process_begun = pg->process_begun};
  g_mutex_unlock(&pg->socket_lock);
}

void px_pg_cut(PxPg *pg) {
  if (!g_mutex_trylock(&pg->socket_lock)) /* it is being connected again */
    return;
  if (pg->socket >= 0) {
    atomic_store(&pg->cut, true); /* before whoever waits can tell */
    (void)shutdown(pg->socket, SHUT_RDWR);
  }
  g_mutex_unlock(&pg->socket_lock);
}

/* Whether there is something to read before the deadline (monotonic microseconds). */
static bool wait_readable(PxPg *pg, int64_t deadline) {
  for (;;) {
    int64_t left = (deadline - g_get_monotonic_time()) / 1000;
    struct pollfd wait = {.fd = PQsocket(pg->conn), .events = POLLIN};
    int ready = left > 0 ? poll(&wait, 1, (int)left + 1) : 0;
    if (ready > 0)
      return true;
    if (ready == 0 || errno != EINTR)
      return false;
  }
}

/* The next result, or NULL; a connection that does not answer is cut, so that it is seen to be lost. */
static PGresult *next_result(PxPg *pg, int64_t deadline) {
  while (PQisBusy(pg->conn)) {
    if (!wait_readable(pg, deadline))
      px_pg_cut(pg);
    if (!PQconsumeInput(pg->conn))
      break;
  }
  return PQgetResult(pg->conn);
}

/* The last result of what was sent, or the first error, as PQexec() gives it. */
static PGresult *answer(PxPg *pg, int sent) {
  int64_t deadline = g_get_monotonic_time() + pg->answer_ms * (int64_t)1000;
  PGresult *last = NULL;
  if (!sent)
    return PQmakeEmptyPGresult(pg->conn, PGRES_FATAL_ERROR);
  for (PGresult *result; (result = next_result(pg, deadline));) {
    if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
      PQclear(result);
      continue;
    }
    PQclear(last);
    last = result;
  }
  return last;
}

PGresult *px_pg_exec(PxPg *pg, const char *sql) {
  px_pg_begin_wait(pg);
  PGresult *result = pg->answer_ms ? answer(pg, PQsendQuery(pg->conn, sql)) : PQexec(pg->conn, sql);
  px_pg_end_wait(pg);
  return result;
}

PGresult *px_pg_exec_prepare(PxPg *pg, const char *name, const char *sql) {
  px_pg_begin_wait(pg);
  PGresult *result = pg->answer_ms ? answer(pg, PQsendPrepare(pg->conn, name, sql, 0, NULL)) : PQprepare(pg->conn, name, sql, 0, NULL);
  px_pg_end_wait(pg);
  return result;
}

PGresult *px_pg_exec_params(PxPg *pg, const char *sql, int n, const char *const *values, const int *lengths, const int *formats) {
  px_pg_begin_wait(pg);
  PGresult *result = pg->answer_ms ? answer(pg, PQsendQueryParams(pg->conn, sql, n, NULL, values, lengths, formats, 0))
                                   : PQexecParams(pg->conn, sql, n, NULL, values, lengths, formats, 0);
  px_pg_end_wait(pg);
  return result;
}

PGresult *px_pg_exec_prepared(PxPg *pg, const char *name, int n, const char *const *values, const int *lengths, const int *formats) {
  px_pg_begin_wait(pg);
  PGresult *result = pg->answer_ms ? answer(pg, PQsendQueryPrepared(pg->conn, name, n, values, lengths, formats, 0))
                                   : PQexecPrepared(pg->conn, name, n, values, lengths, formats, 0);
  px_pg_end_wait(pg);
  return result;
}
