/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a file on their way from the parser process to the loader. */
#include "base/text.h"
#include "flow/flow_private.h"
#include "flow/spool.h"
#include "format/parser.h"

#define KEEP_BATCHES 18              /* the header's, and those of KEEP_BYTES */
#define KEEP_BYTES (8 * 1024 * 1024) /* a file that is not larger is parsed once, not twice */

#define HELD_BYTES (4 * 1024 * 1024) /* a chunk of wide rows ends when it has so many */

struct PxFeed {
  int blob;
  const PxFormatOptions *format;
  unsigned header_rows;
  PxNames *header;  /* NULL: not read yet, or the file has none */
  PxParser *parser; /* NULL: spool, or kept, is given instead */
  PxSpool *spool;   /* the rows of a large file that is dear to parse; NULL: it is parsed twice */
  GQueue kept;      /* PxRowBatch *: the whole file, when has_all */
  bool has_all;
  PxRowBatch *batch; /* the one at hand */
  size_t next;       /* its row that is next */
  GPtrArray *held;   /* PxRowBatch * that the loader still looks at */
  size_t held_bytes;
  bool ended;
  uint64_t bytes_done;
};

PxNames *px_names_read(const PxRowBatch *batch, size_t row) {
  const PxBatchRow *header = px_row_batch_rows(batch) + row;
  PxNames *names = g_new0(PxNames, 1);
  names->row = header->number;
  names->names = g_ptr_array_new_with_free_func(g_free);
  names->only_nulls = g_new(bool, header->n_cells + 1);
  for (uint32_t i = 0; i < header->n_cells; i++) {
    PxCell cell = px_row_batch_cell(batch, header, i);
    size_t len = cell.len;
    names->only_nulls[i] = cell.kind == PX_CELL_NULLS;
    px_text_strip(&cell.ptr, &len);
    g_ptr_array_add(names->names, g_strndup(cell.ptr, len));
  }
  return names;
}

void px_names_free(PxNames *names) {
  if (!names)
    return;
  g_ptr_array_unref(names->names);
  g_free(names->only_nulls);
  g_free(names);
}

PxFeed *px_feed_new(int blob, const PxPattern *pattern) {
  PxFeed *feed = g_new0(PxFeed, 1);
  feed->blob = blob;
  feed->format = &pattern->format;
  feed->header_rows = px_pattern_header_rows(pattern);
  g_queue_init(&feed->kept);
  feed->held = g_ptr_array_new_with_free_func(g_free);
  return feed;
}

void px_feed_free(PxFeed *feed) {
  if (!feed)
    return;
  px_names_free(feed->header);
  px_parser_free(feed->parser);
  px_spool_free(feed->spool);
  g_queue_clear_full(&feed->kept, g_free);
  g_free(feed->batch);
  g_ptr_array_unref(feed->held);
  g_free(feed);
}

static bool start_parser(PxFeed *feed, uint64_t row, uint64_t place, GError **error) {
  px_parser_free(feed->parser);
  feed->parser = px_parser_start(feed->blob, feed->format, feed->header_rows, row, place, error);
  return feed->parser != NULL;
}

static PxRowBatch *next_batch(PxFeed *feed, GError **error) {
  if (feed->parser)
    return px_parser_next(feed->parser, error);
  return feed->spool ? px_spool_next(feed->spool, error) : g_queue_pop_head(&feed->kept);
}

/* Sees to it that batch has a row that is next, or that ended is true. */
static bool ensure_row(PxFeed *feed, GError **error) {
  while (!feed->ended && (!feed->batch || feed->next >= feed->batch->n_rows)) {
    if (feed->batch) {
      feed->held_bytes += px_row_batch_size(feed->batch);
      g_ptr_array_add(feed->held, g_steal_pointer(&feed->batch));
    }
    feed->next = 0;
    GError *problem = NULL;
    feed->batch = next_batch(feed, &problem);
    if (problem) {
      g_propagate_error(error, problem);
      return false;
    }
    feed->ended = !feed->batch;
    if (feed->batch)
      feed->bytes_done = feed->batch->source_done;
  }
  return true;
}

/* Reads past the header rows; the last of them names the columns. */
static bool read_header(PxFeed *feed, GError **error) {
  g_clear_pointer(&feed->header, px_names_free);
  for (unsigned i = 0; i < feed->header_rows; i++) {
    if (!ensure_row(feed, error))
      return false;
    if (feed->ended)
      return true;
    if (i == feed->header_rows - 1)
      feed->header = px_names_read(feed->batch, feed->next);
    feed->next++;
  }
  return true;
}

/* ---- the first reading */

static void spool_held(PxFeed *feed) {
  for (guint i = 0; i < feed->held->len && feed->spool; i++)
    if (!px_spool_add(feed->spool, feed->held->pdata[i]))
      g_clear_pointer(&feed->spool, px_spool_free);
}

static void keep_held(PxFeed *feed) {
  spool_held(feed);
  for (guint i = 0; i < feed->held->len && feed->has_all; i++)
    g_queue_push_tail(&feed->kept, g_steal_pointer(&feed->held->pdata[i]));
  px_feed_release(feed);
  if (feed->kept.length <= KEEP_BATCHES)
    return;
  feed->has_all = false;
  g_queue_clear_full(&feed->kept, g_free);
}

static bool begin(PxFeed *feed, uint64_t row, uint64_t place, GError **error) {
  feed->ended = false;
  feed->next = 0;
  feed->bytes_done = 0;
  g_clear_pointer(&feed->batch, g_free);
  px_feed_release(feed);
  return start_parser(feed, row, place, error) && read_header(feed, error);
}

/* Whether the sink takes this file's rows; then they come from the first one on. */
static bool ask_sink(PxFeed *feed, const PxFeedSink *sink, void *data, bool *ret_wanted, GError **error) {
  *ret_wanted = false;
  return !sink || (begin(feed, 0, UINT64_MAX, error) && sink->wants(feed->header, data, ret_wanted, error));
}

static bool begin_check(PxFeed *feed, GError **error) {
  /* CSV is cheaper to parse again than to write down: there the rows of a large file need not come through the pipe twice, as all are before a row
   * that is never reached. */
  if (!feed->has_all && feed->format->format != PX_FORMAT_CSV)
    feed->spool = px_spool_new();
  return begin(feed, feed->has_all || feed->spool ? 0 : UINT64_MAX, UINT64_MAX, error);
}

bool px_feed_check(PxFeed *feed, uint64_t size, const PxFeedSink *sink, PxFeedProgress progress, void *data, uint64_t *ret_rows, GError **error) {
  bool sinks;
  feed->has_all = size <= KEEP_BYTES;
  if (!ask_sink(feed, sink, data, &sinks, error) || (!sinks && !begin_check(feed, error)))
    return false;
  uint64_t rows = 0;
  while (!feed->ended) {
    if (!ensure_row(feed, error))
      return false;
    if (feed->batch) {
      size_t n = feed->batch->n_rows - feed->next;
      if (sinks && n && !sink->rows(feed->batch, feed->next, n, data, error))
        return false;
      rows += n;
      feed->next = feed->batch->n_rows;
      progress(rows, feed->bytes_done, data);
    }
    keep_held(feed);
  }
  g_clear_pointer(&feed->parser, px_parser_free);
  *ret_rows = rows;
  return true;
}

/* ---- the second one */

bool px_feed_start(PxFeed *feed, uint64_t row, uint64_t place, GError **error) {
  feed->ended = false;
  feed->next = 0;
  feed->bytes_done = 0;
  g_clear_pointer(&feed->batch, g_free);
  if (row > 0 || (feed->spool && !px_spool_rewind(feed->spool)))
    g_clear_pointer(&feed->spool, px_spool_free);
  if (feed->has_all && row == 0)
    feed->has_all = false; /* given once */
  else if (!feed->spool && !start_parser(feed, row, place, error))
    return false;
  return read_header(feed, error);
}

const PxNames *px_feed_header(const PxFeed *feed) {
  return feed->header;
}

static int compare_rows(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a;
  uint64_t right = *(const uint64_t *)b;
  return left < right ? -1 : left > right;
}

static bool is_wanted(const GArray *only, uint64_t number) {
  return bsearch(&number, only->data, only->len, sizeof number, compare_rows) != NULL;
}

static void give_rows(const PxFeed *feed, PxLoader *loader, const GArray *only, size_t n) {
  if (!only) {
    px_loader_add(loader, feed->batch, feed->next, n);
    return;
  }
  const PxBatchRow *rows = px_row_batch_rows(feed->batch);
  for (size_t i = feed->next; i < feed->next + n; i++)
    if (is_wanted(only, rows[i].number))
      px_loader_add(loader, feed->batch, i, 1);
}

bool px_feed_fill(PxFeed *feed, PxLoader *loader, const GArray *only, uint64_t n, PxChunk *ret_chunk, GError **error) {
  *ret_chunk = (PxChunk){.next_place = UINT64_MAX};
  if (!ensure_row(feed, error))
    return false;
  for (uint64_t given = 0; !feed->ended && (given == 0 || (given < n && feed->held_bytes < HELD_BYTES));) {
    const PxBatchRow *rows = px_row_batch_rows(feed->batch);
    size_t left = feed->batch->n_rows - feed->next;
    size_t take = left < n - given ? left : (size_t)(n - given);
    give_rows(feed, loader, only, take);
    if (!ret_chunk->first_row)
      ret_chunk->first_row = rows[feed->next].number;
    feed->next += take;
    given += take;
    ret_chunk->last_row = rows[feed->next - 1].number;
    if (!ensure_row(feed, error))
      return false;
  }
  ret_chunk->next_row = ret_chunk->last_row + 1;
  if (!feed->ended) {
    const PxBatchRow *next = px_row_batch_rows(feed->batch) + feed->next;
    ret_chunk->next_row = next->number;
    ret_chunk->next_place = next->place;
  }
  return true;
}

bool px_feed_at_end(const PxFeed *feed) {
  return feed->ended;
}

uint64_t px_feed_bytes_done(const PxFeed *feed) {
  return feed->bytes_done;
}

void px_feed_release(PxFeed *feed) {
  g_ptr_array_set_size(feed->held, 0);
  feed->held_bytes = 0;
}
