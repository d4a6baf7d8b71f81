/* SPDX-License-Identifier: Apache-2.0 */
/* Two steps: an index of the bytes that mean something (AVX2: 64 bytes a turn), and a walk over the index that makes cells.
 *
 * The index knows nothing of quotes; the walk steps over the marks inside a quoted cell. So a quote in the middle of an unquoted
 * cell is a character as any other (`5" pipe`), and a broken file is seen where it breaks.
 */
#include "format/csv_private.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define BLOCK ((size_t)16 * 1024) /* indexed at once; its marks stay in the second-level cache */
#define MARKS_ROOM (BLOCK + 64)   /* the vector code writes up to 8 too many */

#define FIRST_CELLS 64

/* ---- index */

static uint64_t word_at(const char *p) {
  uint64_t word;
  memcpy(&word, p, 8);
  return GUINT64_FROM_LE(word);
}

/* The high bit of each byte of word that is c. */
static uint64_t equal_bytes(uint64_t word, char c) {
  const uint64_t low7 = UINT64_C(0x7F7F7F7F7F7F7F7F);
  uint64_t x = word ^ (UINT64_C(0x0101010101010101) * (unsigned char)c);
  return ~(((x & low7) + low7) | x | low7);
}

/* The same for each byte that is the last one of the mark. */
static uint64_t equal_mark(const char *p, const PxCsvMark *mark) {
  uint64_t equal = UINT64_C(0x8080808080808080);
  for (size_t i = 0; i < mark->len; i++)
    equal &= equal_bytes(word_at(p - (mark->len - 1 - i)), mark->bytes[i]);
  return mark->len ? equal : 0;
}

static size_t index_portable(const PxCsvScan *scan, const char *bytes, size_t from, size_t to, uint32_t *ret_marks) {
  size_t n = 0;
  for (size_t at = from; at < to; at += 8) {
    const char *p = bytes + at;
    uint64_t word = word_at(p);
    uint64_t found = equal_mark(p, &scan->delimiter) | equal_mark(p, &scan->quote) | equal_bytes(word, '\n') | equal_bytes(word, '\r');
    for (; found; found &= found - 1) {
      size_t mark = at + (size_t)__builtin_ctzll(found) / 8;
      if (mark < to)
        ret_marks[n++] = (uint32_t)mark;
    }
  }
  return n;
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

AVX2 static inline size_t put_marks(uint64_t found, size_t at, uint32_t *out) {
  size_t count = (size_t)__builtin_popcountll(found);
  /* Eight a turn without asking each time: a wrong guess of the processor costs more than a few stores. */
  for (size_t done = 0; done < count; done += 8)
    for (size_t i = 0; i < 8; i++) {
      out[done + i] = (uint32_t)at + (uint32_t)_tzcnt_u64(found);
      found &= found - 1;
    }
  return count;
}

AVX2 static inline __m256i load(const char *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline uint64_t bits(__m256i low, __m256i high) {
  return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

AVX2 static inline uint64_t below(uint64_t found, size_t at, size_t to) {
  return to - at >= 64 ? found : found & ((UINT64_C(1) << (to - at)) - 1);
}

/* Delimiter and quote of one byte, as nearly always. */
AVX2 static size_t index_avx2(const PxCsvScan *scan, const char *bytes, size_t from, size_t to, uint32_t *ret_marks) {
  const __m256i delimiter = _mm256_set1_epi8(scan->delimiter.bytes[0]);
  const __m256i quote = _mm256_set1_epi8(scan->quote.bytes[0]); /* none: 0, which no text has */
  const __m256i cr = _mm256_set1_epi8('\r');
  const __m256i lf = _mm256_set1_epi8('\n');
  size_t n = 0;
  for (size_t at = from; at < to; at += 64) {
    __m256i a = load(bytes + at);
    __m256i b = load(bytes + at + 32);
    __m256i found_a = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(a, delimiter), _mm256_cmpeq_epi8(a, quote)),
                                      _mm256_or_si256(_mm256_cmpeq_epi8(a, cr), _mm256_cmpeq_epi8(a, lf)));
    __m256i found_b = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(b, delimiter), _mm256_cmpeq_epi8(b, quote)),
                                      _mm256_or_si256(_mm256_cmpeq_epi8(b, cr), _mm256_cmpeq_epi8(b, lf)));
    n += put_marks(below(bits(found_a, found_b), at, to), at, ret_marks + n);
  }
  return n;
}

AVX2 static inline uint64_t equal_mark_avx2(const char *p, const PxCsvMark *mark) {
  uint64_t equal = mark->len ? UINT64_MAX : 0;
  for (size_t i = 0; i < mark->len; i++) {
    const char *q = p - (mark->len - 1 - i);
    const __m256i byte = _mm256_set1_epi8(mark->bytes[i]);
    equal &= bits(_mm256_cmpeq_epi8(load(q), byte), _mm256_cmpeq_epi8(load(q + 32), byte));
  }
  return equal;
}

AVX2 static size_t index_avx2_wide(const PxCsvScan *scan, const char *bytes, size_t from, size_t to, uint32_t *ret_marks) {
  const PxCsvMark cr = {.bytes = "\r", .len = 1};
  const PxCsvMark lf = {.bytes = "\n", .len = 1};
  size_t n = 0;
  for (size_t at = from; at < to; at += 64) {
    const char *p = bytes + at;
    uint64_t found = equal_mark_avx2(p, &scan->delimiter) | equal_mark_avx2(p, &scan->quote) | equal_mark_avx2(p, &cr) | equal_mark_avx2(p, &lf);
    n += put_marks(below(found, at, to), at, ret_marks + n);
  }
  return n;
}
#endif

static PxCsvIndex choose_index(const PxCsvScan *scan, bool portable) {
#ifdef __x86_64__
  if (!portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt"))
    return scan->narrow ? index_avx2 : index_avx2_wide;
#endif
  return index_portable;
}

/* ---- walk */

void px_csv_scan_init(PxCsvScan *scan, const PxCsvMark *delimiter, const PxCsvMark *quote, size_t max_cells, bool portable) {
  *scan = (PxCsvScan){.delimiter = *delimiter, .quote = *quote, .max_cells = max_cells, .cells_room = MIN(max_cells, FIRST_CELLS)};
  scan->narrow = delimiter->len == 1 && quote->len <= 1;
  scan->index = choose_index(scan, portable);
  scan->marks = g_new(uint32_t, MARKS_ROOM);
  scan->cells = g_new(PxCell, FIRST_CELLS);
}

void px_csv_scan_done(PxCsvScan *scan) {
  g_free(scan->marks);
  g_free(scan->cells);
}

void px_csv_scan_rewind(PxCsvScan *scan, size_t row_start) {
  scan->row_start = scan->indexed = row_start;
  scan->n_marks = scan->next_mark = 0;
}

static bool index_more(PxCsvScan *scan, const PxCsvWindow *window) {
  while (scan->next_mark == scan->n_marks) {
    if (scan->indexed >= window->len)
      return false;
    size_t to = MIN(scan->indexed + BLOCK, window->len);
    scan->n_marks = scan->index(scan, window->bytes, scan->indexed, to, scan->marks);
    scan->next_mark = 0;
    scan->indexed = to;
  }
  return true;
}

static inline bool next_mark(PxCsvScan *scan, const PxCsvWindow *window, size_t *ret_at) {
  if (G_UNLIKELY(scan->next_mark == scan->n_marks) && !index_more(scan, window))
    return false;
  *ret_at = scan->marks[scan->next_mark++];
  return true;
}

typedef enum { IS_DELIMITER, IS_QUOTE, IS_LINE_END } Meaning;

/* Whether the mark that ends at byte at is this one. The index has found one of them there, so the bytes before are readable. */
static inline bool is_mark(const char *bytes, size_t at, const PxCsvMark *mark) {
  if (bytes[at] != mark->bytes[mark->len - 1])
    return false;
  return mark->len == 1 || memcmp(bytes + at - (mark->len - 1), mark->bytes, mark->len) == 0;
}

static inline Meaning meaning(const PxCsvScan *scan, const char *bytes, size_t at) {
  if (G_LIKELY(scan->delimiter.len == 1 ? bytes[at] == scan->delimiter.bytes[0] : is_mark(bytes, at, &scan->delimiter)))
    return IS_DELIMITER;
  return bytes[at] == '\n' || bytes[at] == '\r' ? IS_LINE_END : IS_QUOTE;
}

/* Where the mark that ends at byte at begins. */
static inline size_t mark_start(const PxCsvScan *scan, Meaning what, size_t at) {
  return what == IS_DELIMITER ? at + 1 - scan->delimiter.len : what == IS_QUOTE ? at + 1 - scan->quote.len : at;
}

static bool is_blank(const char *bytes, size_t from, size_t to) {
  while (from < to && (bytes[from] == ' ' || bytes[from] == '\t'))
    from++;
  return from >= to;
}

static bool more_cells(PxCsvScan *scan) {
  if (scan->cells_room >= scan->max_cells)
    return false;
  scan->cells_room = MIN(scan->cells_room * 2 + FIRST_CELLS, scan->max_cells);
  scan->cells = g_renew(PxCell, scan->cells, scan->cells_room);
  return true;
}

static inline PxCell cell_at(const char *bytes, size_t from, size_t to) {
  uint32_t len = (uint32_t)(to - from);
  return (PxCell){.ptr = bytes + from, .len = len, .kind = len ? PX_CELL_TEXT : PX_CELL_EMPTY};
}

#define DOUBLED 0x80 /* in a cell's kind while the row is read */

static inline bool add_cell(PxCsvScan *scan, const char *bytes, size_t from, size_t to, unsigned flag) {
  if (G_UNLIKELY(scan->n_cells == scan->cells_room) && !more_cells(scan))
    return false;
  PxCell cell = cell_at(bytes, from, to);
  cell.kind |= (uint8_t)flag;
  scan->cells[scan->n_cells++] = cell;
  return true;
}

/* Reads a quoted cell whose opening quote ends before from. *ret_end: where the mark behind the cell ends, of meaning
 * *ret_meaning; at the end of the file the window's len, as a line end. PX_CSV_ROW: the cell was read. */
static PxCsvScanResult quoted_cell(PxCsvScan *scan, const PxCsvWindow *window, size_t from, size_t *ret_end, Meaning *ret_meaning) {
  const char *bytes = window->bytes;
  unsigned flag = 0;
  size_t at;
  for (;;) {
    do {
      if (!next_mark(scan, window, &at))
        return PX_CSV_MORE;
    } while (!is_mark(bytes, at, &scan->quote));
    size_t closing = at;
    Meaning what = IS_LINE_END;
    size_t behind = window->len;
    if (next_mark(scan, window, &at)) {
      what = meaning(scan, bytes, at);
      behind = mark_start(scan, what, at);
    } else if (!window->at_end) {
      return PX_CSV_MORE;
    } else {
      at = window->len;
    }
    if (what == IS_QUOTE && behind == closing + 1) {
      flag = DOUBLED;
      scan->doubled = true;
      continue;
    }
    scan->row_end = at;
    if (what == IS_QUOTE || !is_blank(bytes, closing + 1, behind))
      return PX_CSV_AFTER_QUOTE;
    *ret_end = at;
    *ret_meaning = what;
    return add_cell(scan, bytes, from, closing + 1 - scan->quote.len, flag) ? PX_CSV_ROW : PX_CSV_TOO_MANY;
  }
}

void px_csv_scan_undouble(PxCsvScan *scan) {
  size_t step = scan->quote.len;
  for (size_t i = 0; i < scan->n_cells; i++) {
    PxCell *cell = &scan->cells[i];
    if (!(cell->kind & DOUBLED))
      continue;
    cell->kind = PX_CELL_TEXT;
    char *out = (char *)(uintptr_t)cell->ptr;
    const char *in = cell->ptr;
    const char *end = in + cell->len;
    while (in < end) {
      const char *quote = memmem(in, (size_t)(end - in), scan->quote.bytes, step);
      size_t len = quote ? (size_t)(quote - in) + step : (size_t)(end - in);
      memmove(out, in, len);
      out += len;
      in += quote ? len + step : len;
    }
    cell->len = (uint32_t)(out - cell->ptr);
  }
}

static PxCsvScanResult end_row(PxCsvScan *scan, size_t row_end, size_t next_start) {
  scan->row_end = row_end;
  scan->row_start = next_start;
  return PX_CSV_ROW;
}

/* A line end at byte at, behind the last cell. */
static PxCsvScanResult end_line(PxCsvScan *scan, const PxCsvWindow *window, size_t at) {
  if (at == window->len)
    return end_row(scan, at, at);
  if (window->bytes[at] == '\n')
    return end_row(scan, at, at + 1);
  if (at + 1 == window->len && !window->at_end)
    return PX_CSV_MORE; /* an LF may follow */
  return end_row(scan, at, at + 1 < window->len && window->bytes[at + 1] == '\n' ? at + 2 : at + 1);
}

/* Most cells: from start to the next delimiter with no other mark between, or between two quotes that stand right at the delimiters. Takes
 * as many as come, with everything in registers, and returns where the first other one begins. */
static size_t take_simple_cells(PxCsvScan *scan, const char *bytes, size_t start) {
  const char delimiter = scan->delimiter.bytes[0];
  const char quote = scan->quote.bytes[0];
  const uint32_t *mark = scan->marks + scan->next_mark;
  const uint32_t *marks_end = scan->marks + scan->n_marks;
  PxCell *cell = scan->cells + scan->n_cells;
  const PxCell *cells_end = scan->cells + scan->cells_room;
  while (mark < marks_end && cell < cells_end) {
    size_t at = *mark;
    if (bytes[at] == delimiter) {
      *cell++ = cell_at(bytes, start, at);
      mark++;
    } else if (at == start && marks_end - mark > 2 && mark[2] == mark[1] + 1 && bytes[at] == quote && bytes[mark[1]] == quote &&
               bytes[mark[2]] == delimiter) {
      *cell++ = cell_at(bytes, start + 1, mark[1]);
      at = mark[2];
      mark += 3;
    } else {
      break;
    }
    start = at + 1;
  }
  scan->next_mark = (size_t)(mark - scan->marks);
  scan->n_cells = (size_t)(cell - scan->cells);
  return start;
}

PxCsvScanResult px_csv_scan_row(PxCsvScan *scan, const PxCsvWindow *window) {
  const char *bytes = window->bytes;
  size_t row_start = scan->row_start;
  size_t start = row_start;
  size_t unquoted = SIZE_MAX; /* the start of a cell that is known to be none: blanks are looked at once */
  scan->n_cells = 0;
  scan->doubled = false;
  /* The LF of a CRLF. */
  if (scan->next_mark < scan->n_marks && scan->marks[scan->next_mark] < row_start)
    scan->next_mark++;
  else if (scan->indexed < row_start)
    scan->indexed = row_start;
  for (;;) {
    size_t at;
    if (scan->narrow)
      start = take_simple_cells(scan, bytes, start);
    if (G_UNLIKELY(!next_mark(scan, window, &at))) {
      if (!window->at_end)
        return PX_CSV_MORE;
      if (row_start == window->len)
        return PX_CSV_END;
      scan->row_end = window->len;
      return add_cell(scan, bytes, start, window->len, 0) ? end_line(scan, window, window->len) : PX_CSV_TOO_MANY;
    }
    Meaning what = meaning(scan, bytes, at);
    if (what == IS_QUOTE) {
      if (unquoted == start || !is_blank(bytes, start, mark_start(scan, what, at))) {
        unquoted = start;
        continue;
      }
      PxCsvScanResult result = quoted_cell(scan, window, at + 1, &at, &what);
      if (result != PX_CSV_ROW)
        return result;
    } else if (at == row_start && what == IS_LINE_END) {
      return end_line(scan, window, at);
    } else if (!add_cell(scan, bytes, start, mark_start(scan, what, at), 0)) {
      scan->row_end = at;
      return PX_CSV_TOO_MANY;
    }
    if (what == IS_LINE_END)
      return end_line(scan, window, at);
    start = at + 1;
  }
}
