/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the json_*.c files share: window (bytes, known to be UTF-8) -> scan (an item -> values at paths) -> keys (paths -> columns) -> reader.
 * Source of the format: RFC 8259.
 *
 * An item is scanned where it stands as a whole in the window; when it does not end there, more is read and it is scanned again. So there is no
 * state between two reads, and the window grows only for an item that is longer than it is.
 */
#include "base/arena.h"
#include "base/cell.h"
#include "format/format.h"
#include "format/reader.h"

#include <string.h>

#define PX_JSON_MAX_DEPTH 64
/* A cell of a row batch has less than 256 MiB; so has an item. */
#define PX_JSON_MAX_ITEM_BYTES (((uint64_t)1 << 28) - 1)

/* ---- the part of the file that is in memory */

typedef struct {
  int fd;
  char *bytes; /* len of them are whole characters; behind them stand zero bytes, which no text has */
  size_t len, capacity;
  size_t at;       /* of what is next */
  uint64_t offset; /* of bytes[0] in the file */
  char tail[4];    /* the beginning of a character whose rest has not been read */
  size_t n_tail;
  bool bad;    /* what comes next in the file is no UTF-8, or a NUL byte */
  bool at_end; /* nothing comes behind len */
} PxJsonWindow;

/* capacity: how much is read at once. */
bool px_json_window_open(PxJsonWindow *window, int fd, size_t capacity, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_json_window_done(PxJsonWindow *window);
/* Begins again, at this byte of the file. */
void px_json_window_seek(PxJsonWindow *window, uint64_t offset);
/* Adds to the window what it has room for; what is before at may go away. PX_ERROR_REFUSED: what comes is no text. */
bool px_json_window_fill(PxJsonWindow *window, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- keys */

/* Where a value is: the keys and the numbers of list items that lead to it, as a header has them ("child_ids|1|name"). A flat key that holds the
 * same text is the same path. */
typedef struct PxJsonPath PxJsonPath;
struct PxJsonPath {
  const char *text;
  size_t len;
  PxJsonPath *first;   /* what the last object or list here began with */
  PxJsonPath *next;    /* what followed last */
  uint64_t seen;       /* in which scan it was there */
  int column;          /* -1: none */
  GArray *below;       /* int: columns of the paths that go on behind this one */
  bool is_value;       /* somewhere it holds a value, */
  bool is_null;        /* null, */
  bool is_empty_list;  /* [] */
  bool is_empty_group; /* {} */
  bool goes_on;        /* other paths begin with it */
};

typedef struct {
  PxArena *arena;
  GHashTable *by_text; /* PxJsonPath */
  GPtrArray *paths;    /* in the order in which the file shows them */
  GString *text;       /* of the path that is looked for */
  PxJsonPath root;
  size_t max_paths, max_bytes, n_bytes;
  GArray *columns; /* PxCell: the header, after px_json_keys_number() */
} PxJsonKeys;

void px_json_keys_init(PxJsonKeys *keys, const PxFormatOptions *options);
void px_json_keys_done(PxJsonKeys *keys);
/* The path that goes on from parent by a key (as text, without escapes). NULL: it is new, and there are too many. */
PxJsonPath *px_json_keys_path(PxJsonKeys *keys, const PxJsonPath *parent, const char *key, size_t len);
/* Gives the paths that hold values their columns. */
void px_json_keys_number(PxJsonKeys *keys);

static inline bool px_json_path_is(const PxJsonPath *path, const PxJsonPath *parent, const char *key, size_t len) {
  size_t start = parent->len ? parent->len + 1 : 0;
  return path->len == start + len && memcmp(path->text + start, key, len) == 0 &&
         (start == 0 || (path->text[start - 1] == '|' && memcmp(path->text, parent->text, parent->len) == 0));
}

/* ---- scan */

typedef struct {
  PxJsonPath *path;
  PxJsonPath *last; /* the key or item that was there last */
  bool is_list;
  uint64_t n_items;
} PxJsonFrame;

typedef enum {
  PX_JSON_ITEM, /* it ends at at */
  PX_JSON_MORE, /* it does not end in the window */
  PX_JSON_BAD,  /* problem says what is wrong at at */
} PxJsonResult;

#define PX_JSON_NUMBER 32 /* no number is made longer */

typedef struct {
  PxJsonKeys *keys;
  PxCell *cells; /* one a column; NULL: paths are only looked at */
  char (*numbers)[PX_JSON_NUMBER];
  GArray *escaped; /* int: columns whose text has escapes */
  GString *key;    /* without escapes */
  GString *problem;
  size_t max_depth;
  uint64_t stamp;
  const char *at;
  const char *reach; /* what was looked at before it was clear that something is wrong, where that is behind at */
  bool at_end;       /* of the file is the end of the window */
  PxJsonFrame frames[PX_JSON_MAX_DEPTH];
  size_t depth;
} PxJsonScan;

/* The object that begins at text (which ends with a zero byte and zeros to read on). */
PxJsonResult px_json_scan_item(PxJsonScan *scan, const char *text);
/* Behind a whole item: puts characters in the place of escapes, in the window itself. */
void px_json_scan_unescape(PxJsonScan *scan);

static inline const char *px_json_blanks(const char *at) {
  while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
    at++;
  return at;
}

/* ---- text */

/* The end of a string's text (its quote), from behind the opening quote. NULL: *ret_at is where it ends to be one, and *ret_problem what is
 * wrong there (when that is a zero byte: the text ends). */
const char *px_json_string_end(const char *text, bool *ret_escaped, const char **ret_at, const char **ret_problem);
/* Characters in the place of escapes; to may be text. The length. */
size_t px_json_unescape(const char *text, size_t len, char *to);
/* A number without what does not count (75001.0 is 75001, 1e3 is 1000) as far as it stays short: writes to and returns true where that is not
 * what stands there already. */
bool px_json_number(const char *text, size_t len, char *to, uint32_t *ret_len);
/* The end of the number that text begins with; NULL: it is none. */
const char *px_json_number_end(const char *text);

/* ---- reader */

/* px_json_reader.open with the size of a read in the hands of a test. */
void *px_json_reader_open_sized(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, GError **error);
