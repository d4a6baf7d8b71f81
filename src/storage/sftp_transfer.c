/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of files. So many requests are on their way at once that the time of an answer does not matter. */
#include "storage/bytes_private.h"
#include "storage/sftp_private.h"

#include <string.h>

#define MOST_BYTES_READ ((size_t)4 * 1024 * 1024) /* on their way */
#define MOST_BYTES_WRITTEN ((size_t)2 * 1024 * 1024)

/* ---- reading */

/* A run of the file that was asked for. Servers may answer with less, then the rest is asked for again. */
typedef struct {
  PxSftpReading *reading;
  uint32_t id;
  uint64_t offset;
  unsigned want, got;
  GByteArray *bytes; /* what came before the caller had room for it; NULL: nothing */
  bool waits, ended;
} Run;

struct PxSftpReading {
  PxSftp *sftp;
  PxSftpHandle handle;
  char *place;
  uint64_t size, next;
  GQueue runs;    /* Run, by offset */
  unsigned given; /* of the first run's bytes */
  bool ended;
  unsigned char *into; /* where the caller waits for the next bytes, and how many */
  size_t room;
  GError *problem; /* what the server said to one of them */
};

static void run_free(void *data) {
  Run *run = data;
  if (run->bytes)
    g_byte_array_unref(run->bytes);
  g_free(run);
}

PxSftpReading *px_sftp_reading_new(PxSftp *sftp, const PxSftpHandle *handle, uint64_t size, const char *place) {
  PxSftpReading *reading = g_new0(PxSftpReading, 1);
  *reading = (PxSftpReading){.sftp = sftp, .handle = *handle, .place = g_strdup(place), .size = size};
  g_queue_init(&reading->runs);
  return reading;
}

void px_sftp_reading_free(PxSftpReading *reading, bool alive) {
  for (GList *at = reading->runs.head; at; at = at->next) {
    const Run *run = at->data;
    if (run->waits)
      px_sftp_forget(reading->sftp, run->id);
  }
  if (alive)
    px_sftp_forget(reading->sftp, px_sftp_send_handle(reading->sftp, PX_SFTP_CLOSE, &reading->handle));
  g_queue_clear_full(&reading->runs, run_free);
  g_clear_error(&reading->problem);
  g_free(reading->place);
  g_free(reading);
}

static bool take_run(void *data, PxSftpReply *reply, GError **error);

static void ask(Run *run) {
  PxSftpReading *reading = run->reading;
  run->id = px_sftp_begin(reading->sftp, PX_SFTP_READ);
  px_sftp_add_bytes(reading->sftp, reading->handle.bytes, reading->handle.len);
  px_sftp_add_u64(reading->sftp, run->offset + run->got);
  px_sftp_add_u32(reading->sftp, run->want - run->got);
  px_sftp_send(reading->sftp);
  px_sftp_route(reading->sftp, run->id, take_run, run);
  run->waits = true;
}

static void give(PxSftpReading *reading, const void *bytes, size_t n) {
  memcpy(reading->into, bytes, n);
  reading->into += n;
  reading->room -= n;
}

/* Straight to the caller, if they are the next and the caller is there; each copy of a large file costs. */
static void take_bytes(Run *run, const unsigned char *bytes, size_t len) {
  PxSftpReading *reading = run->reading;
  run->got += (unsigned)len;
  if (run == reading->runs.head->data && !run->bytes && len <= reading->room) {
    give(reading, bytes, len);
    return;
  }
  if (!run->bytes)
    run->bytes = g_byte_array_sized_new((unsigned)len);
  g_byte_array_append(run->bytes, bytes, (unsigned)len);
}

static bool take_run(void *data, PxSftpReply *reply, GError **error) {
  Run *run = data;
  PxSftpReading *reading = run->reading;
  const unsigned char *bytes;
  size_t len;
  run->waits = false;
  if (reply->type == PX_SFTP_STATUS) {
    run->ended = reply->status == PX_SFTP_EOF;
    if (!run->ended && !reading->problem)
      (void)px_sftp_fail(&reading->problem, reply, reading->place, "read");
    return true;
  }
  if (reply->type != PX_SFTP_DATA || !px_sftp_take_bytes(reply, &bytes, &len) || len == 0 || len > run->want - run->got)
    return px_sftp_broken(reading->sftp, error);
  take_bytes(run, bytes, len);
  /* draft 6.4: of a regular file fewer bytes than were asked for come only at its end. Where it is not the end that it had, that is asked again. */
  run->ended = run->got < run->want && run->offset + run->got == reading->size;
  if (run->got < run->want && !run->ended)
    ask(run);
  return true;
}

/* As far as the file was said to go, and once beyond, to see that it ends there. */
void px_sftp_reading_begin(PxSftpReading *reading) {
  size_t run_bytes = px_sftp_most_read(reading->sftp);
  while (reading->next <= reading->size && reading->runs.length < MOST_BYTES_READ / run_bytes) {
    Run *run = g_new0(Run, 1);
    run->reading = reading;
    run->offset = reading->next;
    run->want = (unsigned)MIN(reading->size - reading->next + 1, run_bytes);
    reading->next += run->want;
    g_queue_push_tail(&reading->runs, run);
    ask(run);
  }
}

/* What came before the caller was there. */
static void give_kept(PxSftpReading *reading, const Run *run) {
  unsigned kept = run->bytes ? run->bytes->len : 0;
  size_t n = MIN(reading->room, kept - reading->given);
  if (n > 0)
    give(reading, run->bytes->data + reading->given, n);
  reading->given += (unsigned)n;
  if (reading->given < kept)
    return;
  reading->ended = run->ended;
  reading->given = 0;
  run_free(g_queue_pop_head(&reading->runs));
}

/* As much as there is room for, since each write of the caller's costs; but what is to come is not cut in two. */
static bool fill(PxSftpReading *reading, size_t size, GError **error) {
  while (!reading->ended && reading->room > 0) {
    px_sftp_reading_begin(reading);
    const Run *run = g_queue_peek_head(&reading->runs);
    if (!run || (run->waits && reading->room < size && reading->room < run->want))
      break;
    if (run->waits && !px_sftp_turn(reading->sftp, error))
      return false;
    if (reading->problem) {
      g_propagate_error(error, g_steal_pointer(&reading->problem));
      return false;
    }
    if (!run->waits)
      give_kept(reading, run);
  }
  return true;
}

ssize_t px_sftp_reading_next(PxSftpReading *reading, void *buffer, size_t size, GError **error) {
  reading->into = buffer;
  reading->room = size;
  bool ok = fill(reading, size, error);
  size_t got = size - reading->room;
  reading->room = 0;
  return ok ? (ssize_t)got : -1;
}

/* ---- writing */

static bool take_written(void *data, PxSftpReply *reply, GError **error) {
  PxSftpWriting *writing = data;
  g_autoptr(GError) problem = NULL;
  writing->waiting--;
  if (reply->type != PX_SFTP_STATUS)
    return px_sftp_broken(writing->sftp, error);
  if (reply->status == PX_SFTP_OK || writing->problem)
    return true;
  (void)px_sftp_fail(&problem, reply, writing->place, "write");
  g_set_error(&writing->problem, PX_ERROR, PX_ERROR_TRANSIENT, "%s", problem->message);
  return true;
}

static bool write_refused(PxSftpWriting *writing, GError **error) {
  g_propagate_error(error, g_steal_pointer(&writing->problem));
  return false;
}

/* Until no more than so many answers are to come. */
static bool wait_for_written(PxSftpWriting *writing, unsigned most, GError **error) {
  while (writing->waiting > most && !writing->problem)
    if (!px_sftp_turn(writing->sftp, error))
      return false;
  return !writing->problem || write_refused(writing, error);
}

static void send_piece(PxSftpWriting *writing, const PxSftpHandle *handle, uint64_t offset, const void *piece, size_t size) {
  uint32_t id = px_sftp_send_write(writing->sftp, handle, offset, piece, size);
  px_sftp_route(writing->sftp, id, take_written, writing);
  writing->waiting++;
}

static bool write_pieces(PxSftpWriting *writing, const PxSftpHandle *handle, PxPacedFd from, uint64_t size, uint64_t *ret_done, GError **error) {
  size_t piece_bytes = px_sftp_most_written(writing->sftp);
  unsigned most_waiting = (unsigned)(MOST_BYTES_WRITTEN / piece_bytes);
  g_autofree unsigned char *piece = g_malloc(piece_bytes);
  *ret_done = 0;
  while (*ret_done <= size) {
    ssize_t got = px_bytes_pull_paced(&from, piece, piece_bytes, error);
    if (got < 0)
      g_prefix_error(error, "%s: ", writing->place);
    if (got <= 0)
      return got == 0;
    send_piece(writing, handle, *ret_done, piece, (size_t)got);
    *ret_done += (uint64_t)got;
    if (!wait_for_written(writing, most_waiting - 1, error))
      return false;
  }
  return true;
}

bool px_sftp_write_all(PxSftpWriting *writing, const PxSftpHandle *handle, PxPacedFd from, uint64_t size, GError **error) {
  uint64_t done;
  if (lseek(from.fd, 0, SEEK_SET) < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "%s: cannot rewind what is to be written: %s", writing->place, g_strerror(errno));
    return false;
  }
  if (!write_pieces(writing, handle, from, size, &done, error))
    return false;
  if (done == size)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: %s than the %" G_GUINT64_FORMAT " bytes it had; it changed while it was copied",
              writing->place, done > size ? "more" : "fewer", (guint64)size);
  return false;
}

bool px_sftp_write_end(PxSftpWriting *writing, GError **error) {
  return wait_for_written(writing, 0, error);
}

void px_sftp_writing_clear(PxSftpWriting *writing) {
  if (writing->waiting > 0)
    px_sftp_forget_all(writing->sftp, writing);
  g_clear_error(&writing->problem);
}
