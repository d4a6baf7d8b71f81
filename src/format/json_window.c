/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/utf8.h"
#include "format/json_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAD 64 /* zero bytes behind the text, for the vector code */

static bool set_capacity(PxJsonWindow *window, size_t capacity, GError **error) {
  char *bytes = g_try_realloc(window->bytes, capacity + PAD);
  if (!bytes) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "out of memory for an item of %zu bytes", capacity);
    return false;
  }
  window->bytes = bytes;
  window->capacity = capacity;
  return true;
}

bool px_json_window_open(PxJsonWindow *window, int fd, size_t capacity, GError **error) {
  *window = (PxJsonWindow){.fd = fd};
  if (!set_capacity(window, MAX(capacity, 8), error))
    return false;
  px_json_window_seek(window, 0);
  return true;
}

void px_json_window_done(PxJsonWindow *window) {
  g_free(window->bytes);
}

void px_json_window_seek(PxJsonWindow *window, uint64_t offset) {
  window->offset = offset;
  window->len = window->at = window->n_tail = 0;
  window->bad = window->at_end = false;
  memset(window->bytes, 0, PAD);
}

static bool refuse(const PxJsonWindow *window, GError **error) {
  uint64_t place = window->offset + window->len;
  if (window->n_tail)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "byte %" G_GUINT64_FORMAT ": the file ends in the middle of a character", place);
  else if (window->tail[0] == '\0')
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "byte %" G_GUINT64_FORMAT ": a NUL byte: JSON is written in UTF-8", place);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "byte %" G_GUINT64_FORMAT ": byte 0x%02X is not UTF-8: JSON is written in that encoding", place,
                (unsigned char)window->tail[0]);
  return false;
}

/* n bytes have been read behind len. */
static void take(PxJsonWindow *window, size_t n) {
  char *fresh = window->bytes + window->len;
  size_t good = px_utf8_prefix(fresh, n);
  size_t rest = n - good;
  fresh += good;
  window->len += good;
  window->n_tail = 0;
  if (rest > 0) {
    bool cut = rest < sizeof window->tail && px_utf8_cut(fresh, rest);
    memcpy(window->tail, fresh, MIN(rest, sizeof window->tail));
    window->n_tail = cut ? rest : 0;
    window->bad = !cut;
  }
  memset(fresh, 0, PAD);
}

bool px_json_window_fill(PxJsonWindow *window, GError **error) {
  if (window->at > 0) {
    memmove(window->bytes, window->bytes + window->at, window->len - window->at);
    window->len -= window->at;
    window->offset += window->at;
    window->at = 0;
  }
  if (window->bad)
    return refuse(window, error);
  if (window->capacity - window->len < window->capacity / 4 + sizeof window->tail && !set_capacity(window, window->capacity * 2, error))
    return false;
  for (size_t before = window->len; window->len == before && !window->at_end;) {
    size_t room = window->capacity - window->len - window->n_tail;
    memcpy(window->bytes + window->len, window->tail, window->n_tail);
    ssize_t n = pread(window->fd, window->bytes + window->len + window->n_tail, room, (off_t)(window->offset + window->len + window->n_tail));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read the file: %s", g_strerror(errno));
      return false;
    }
    window->at_end = n == 0;
    if (n == 0)
      memset(window->bytes + window->len, 0, PAD);
    else
      take(window, window->n_tail + (size_t)n);
    if (window->len == before && (window->bad || (n == 0 && window->n_tail)))
      return refuse(window, error);
  }
  return true;
}
