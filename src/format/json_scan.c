/* SPDX-License-Identifier: Apache-2.0 */
/* One item: an object whose groups and lists of objects are walked with a stack of our own. A list of anything else is a value, its text. */
#include "format/json_private.h"

#include <inttypes.h>
#include <string.h>

/* ---- what goes wrong */

/* False: the zero byte at at is the end of the window, or something is wrong there. */
static bool bad(PxJsonScan *scan, const char *at, const char *problem) {
  scan->at = at;
  if (*at == '\0')
    g_string_assign(scan->problem, "the file ends within the item: it was cut off");
  else
    g_string_assign(scan->problem, problem);
  return false;
}

static bool bad_key(PxJsonScan *scan, const char *at, const PxJsonPath *path) {
  g_string_printf(scan->problem, "the key \"%.*s\" is there twice in one object", (int)MIN(path->len, 200), path->text);
  scan->at = at;
  return false;
}

/* ---- values */

static void put(PxJsonScan *scan, int column, PxCell cell) {
  if (column >= 0)
    scan->cells[column] = cell;
}

static void put_value(PxJsonScan *scan, PxJsonPath *path, PxCell cell) {
  if (!scan->cells) {
    path->is_value = true;
    return;
  }
  if (cell.len == 0)
    cell.kind = PX_CELL_EMPTY;
  put(scan, path->column, cell);
}

/* null, [] and {} empty their own column, or what the file has below them. */
static void put_nothing(PxJsonScan *scan, const PxJsonPath *path, PxCell own) {
  if (!scan->cells)
    return;
  put(scan, path->column, own);
  for (guint i = 0; path->below && i < path->below->len; i++) {
    PxCell *cell = &scan->cells[g_array_index(path->below, int, i)];
    if (cell->kind == PX_CELL_ABSENT)
      *cell = (PxCell){.ptr = "", .kind = PX_CELL_EMPTY};
  }
}

static void put_empty(PxJsonScan *scan, PxJsonPath *path, const char *text, bool *flag) {
  *flag = true;
  put_nothing(scan, path, (PxCell){.ptr = text, .len = 2, .kind = PX_CELL_TEXT});
}

/* text is behind the quote. */
static bool scan_string(PxJsonScan *scan, const char *text, const char **ret_end, bool *ret_escaped) {
  const char *at;
  const char *problem;
  *ret_end = px_json_string_end(text, ret_escaped, &at, &problem);
  return *ret_end || bad(scan, at, problem);
}

static bool scan_word(PxJsonScan *scan, const char *word) {
  const char *at = scan->at;
  for (; *word; word++, at++)
    if (*at != *word)
      return bad(scan, at, "a value is expected: text in double quotes, a number, true, false, null, { or [");
  scan->at = at;
  return true;
}

static bool scan_number(PxJsonScan *scan, const char **ret_end) {
  *ret_end = px_json_number_end(scan->at);
  if (*ret_end && (**ret_end || scan->at_end))
    return true;
  const char *at = scan->at + strspn(scan->at, "+-.0123456789eE");
  scan->reach = at;
  return bad(scan, *at ? scan->at : at, "this is no number of JSON, as 12, -0.5 or 1e3");
}

/* A list as the text that it is; only its syntax is looked at. */
static bool scan_text_list(PxJsonScan *scan) {
  uint64_t lists = 0; /* a bit a level */
  size_t depth = 0;
  bool expects_value = true;
  bool may_end = false;
  do {
    const char *at = scan->at = px_json_blanks(scan->at);
    bool in_list = depth > 0 && (lists >> (depth - 1) & 1);
    bool escaped;
    if (depth > 0 && *at == (in_list ? ']' : '}') && (may_end || !expects_value)) {
      depth--;
      scan->at++;
      expects_value = false;
      continue;
    }
    if (!expects_value) {
      if (*at != ',')
        return bad(scan, at, "a comma or the end of the list is expected");
      at = scan->at = px_json_blanks(at + 1);
    }
    may_end = false;
    if (depth > 0 && !in_list) {
      if (*at != '"')
        return bad(scan, at, "a key in double quotes is expected");
      if (!scan_string(scan, at + 1, &at, &escaped))
        return false;
      at = px_json_blanks(at + 1);
      if (*at != ':')
        return bad(scan, at, "a colon is expected behind the key");
      at = scan->at = px_json_blanks(at + 1);
    }
    expects_value = false;
    if (*at == '[' || *at == '{') {
      if (depth + scan->depth >= scan->max_depth)
        return bad(scan, at, "too many lists and objects within one another");
      lists = (lists & ~(UINT64_C(1) << depth)) | (uint64_t)(*at == '[') << depth;
      depth++;
      scan->at++;
      expects_value = may_end = true;
    } else if (*at == '"') {
      if (!scan_string(scan, at + 1, &at, &escaped))
        return false;
      scan->at = at + 1;
    } else if (*at == '-' || g_ascii_isdigit(*at)) {
      if (!scan_number(scan, &at))
        return false;
      scan->at = at;
    } else if (!scan_word(scan, *at == 't' ? "true" : *at == 'f' ? "false" : "null")) {
      return false;
    }
  } while (depth > 0);
  return true;
}

/* ---- groups and lists */

static bool push(PxJsonScan *scan, PxJsonPath *path, bool is_list) {
  if (scan->depth >= scan->max_depth)
    return bad(scan, scan->at, "too many lists and objects within one another");
  scan->frames[scan->depth++] = (PxJsonFrame){.path = path, .is_list = is_list};
  scan->at++;
  return true;
}

/* The path of a key or list item, which may not have been there before in this item. */
static PxJsonPath *enter(PxJsonScan *scan, PxJsonFrame *frame, const char *at, const char *key, size_t len) {
  PxJsonPath *path = frame->last ? frame->last->next : frame->path->first;
  if (!path || !px_json_path_is(path, frame->path, key, len)) {
    path = px_json_keys_path(scan->keys, frame->path, key, len);
    if (!path) {
      g_string_printf(scan->problem, "the file has more different keys (items of lists counted) than one row can hold; raise limits: cells");
      scan->at = at;
      return NULL;
    }
    *(frame->last ? &frame->last->next : &frame->path->first) = path;
  }
  if (path->seen == scan->stamp) {
    bad_key(scan, at, path);
    return NULL;
  }
  path->seen = scan->stamp;
  frame->last = path;
  return path;
}

/* { or [ at at. */
static bool scan_group(PxJsonScan *scan, PxJsonPath *path, bool *ret_open) {
  const char *start = scan->at;
  const char *inside = px_json_blanks(start + 1);
  bool is_list = *start == '[';
  *ret_open = false;
  scan->reach = inside;
  if (*inside == '\0')
    return bad(scan, inside, "");
  if (*inside == (is_list ? ']' : '}')) {
    put_empty(scan, path, is_list ? "[]" : "{}", is_list ? &path->is_empty_list : &path->is_empty_group);
    scan->at = inside + 1;
    return true;
  }
  if (is_list && *inside != '{' && *inside != 'n') {
    if (!scan_text_list(scan))
      return false;
    put_value(scan, path, (PxCell){.ptr = start, .len = (uint32_t)(scan->at - start), .kind = PX_CELL_TEXT});
    return true;
  }
  *ret_open = true;
  return push(scan, path, is_list);
}

static bool scan_text(PxJsonScan *scan, PxJsonPath *path) {
  const char *text = scan->at + 1;
  const char *end;
  bool escaped;
  if (!scan_string(scan, text, &end, &escaped))
    return false;
  put_value(scan, path, (PxCell){.ptr = text, .len = (uint32_t)(end - text), .kind = PX_CELL_TEXT});
  if (escaped && scan->cells && path->column >= 0)
    g_array_append_val(scan->escaped, path->column);
  scan->at = end + 1;
  return true;
}

static bool take_number(PxJsonScan *scan, PxJsonPath *path) {
  const char *text = scan->at;
  const char *end;
  if (!scan_number(scan, &end))
    return false;
  PxCell cell = {.ptr = text, .len = (uint32_t)(end - text), .kind = PX_CELL_NUMBER};
  if (scan->cells && path->column >= 0 && px_json_number(text, cell.len, scan->numbers[path->column], &cell.len))
    cell.ptr = scan->numbers[path->column];
  put_value(scan, path, cell);
  scan->at = end;
  return true;
}

static bool scan_value(PxJsonScan *scan, PxJsonPath *path, bool *ret_open) {
  const char *at = scan->at;
  *ret_open = false;
  switch (*at) {
  case '"':
    return scan_text(scan, path);
  case '{':
  case '[':
    return scan_group(scan, path, ret_open);
  case 't':
  case 'f':
    if (!scan_word(scan, *at == 't' ? "true" : "false"))
      return false;
    put_value(scan, path, (PxCell){.ptr = at, .len = (uint32_t)(scan->at - at), .kind = PX_CELL_BOOLEAN});
    return true;
  case 'n':
    if (!scan_word(scan, "null"))
      return false;
    path->is_null = true;
    put_nothing(scan, path, (PxCell){.ptr = "", .kind = PX_CELL_EMPTY});
    return true;
  default:
    if (*at == '-' || g_ascii_isdigit(*at))
      return take_number(scan, path);
    return bad(scan, at, "a value is expected: text in double quotes, a number, true, false, null, { or [");
  }
}

static bool scan_member(PxJsonScan *scan, PxJsonFrame *frame, bool *ret_open) {
  const char *at = scan->at;
  const char *end;
  bool escaped;
  if (*at != '"')
    return bad(scan, at, "a key in double quotes is expected");
  if (!scan_string(scan, at + 1, &end, &escaped))
    return false;
  const char *key = at + 1;
  size_t len = (size_t)(end - key);
  end = px_json_blanks(end + 1);
  if (*end != ':')
    return bad(scan, end, "a colon is expected behind the key");
  if (escaped) {
    g_string_set_size(scan->key, len);
    len = px_json_unescape(key, len, scan->key->str);
    key = scan->key->str;
  }
  scan->reach = end;
  PxJsonPath *path = enter(scan, frame, at, key, len);
  scan->at = path ? px_json_blanks(end + 1) : scan->at;
  return path && scan_value(scan, path, ret_open);
}

/* An item of a list of objects; null is an empty one. */
static bool scan_element(PxJsonScan *scan, PxJsonFrame *frame, bool *ret_open) {
  char number[24];
  const char *at = scan->at;
  int len = g_snprintf(number, sizeof number, "%" PRIu64, ++frame->n_items);
  if (*at != '{' && *at != 'n')
    return bad(scan, at, "a list that begins with an object or null holds nothing else");
  PxJsonPath *path = enter(scan, frame, at, number, (size_t)len);
  if (!path)
    return false;
  if (*at == '{')
    return scan_group(scan, path, ret_open);
  if (!scan_word(scan, "null"))
    return false;
  *ret_open = false;
  put_empty(scan, path, "{}", &path->is_empty_group);
  return true;
}

/* Behind a value: closes what ends here, or goes on behind a comma. */
static bool scan_behind(PxJsonScan *scan) {
  while (scan->depth > 0) {
    const PxJsonFrame *frame = &scan->frames[scan->depth - 1];
    scan->at = px_json_blanks(scan->at);
    if (*scan->at == ',') {
      scan->at = px_json_blanks(scan->at + 1);
      return true;
    }
    if (*scan->at != (frame->is_list ? ']' : '}'))
      return bad(scan, scan->at, frame->is_list ? "a comma or ] is expected" : "a comma or } is expected");
    scan->at++;
    scan->depth--;
  }
  return true;
}

static bool scan_object(PxJsonScan *scan) {
  bool open;
  const char *inside = px_json_blanks(scan->at + 1);
  if (*inside == '}') {
    scan->at = inside + 1;
    return true;
  }
  if (!push(scan, &scan->keys->root, false))
    return false;
  scan->at = inside;
  while (scan->depth > 0) {
    PxJsonFrame *frame = &scan->frames[scan->depth - 1];
    if (!(frame->is_list ? scan_element(scan, frame, &open) : scan_member(scan, frame, &open)))
      return false;
    if (open)
      scan->at = px_json_blanks(scan->at);
    else if (!scan_behind(scan))
      return false;
  }
  return true;
}

PxJsonResult px_json_scan_item(PxJsonScan *scan, const char *text) {
  scan->at = scan->reach = text;
  scan->depth = 0;
  scan->stamp++;
  if (scan->cells) {
    g_array_set_size(scan->escaped, 0);
    for (guint i = 0; i < scan->keys->columns->len; i++)
      scan->cells[i] = (PxCell){.ptr = "", .kind = PX_CELL_ABSENT};
  }
  if (scan_object(scan))
    return PX_JSON_ITEM;
  return *scan->at == '\0' && !scan->at_end ? PX_JSON_MORE : PX_JSON_BAD;
}

void px_json_scan_unescape(PxJsonScan *scan) {
  for (guint i = 0; i < scan->escaped->len; i++) {
    PxCell *cell = &scan->cells[g_array_index(scan->escaped, int, i)];
    cell->len = (uint32_t)px_json_unescape(cell->ptr, cell->len, (char *)(uintptr_t)cell->ptr);
  }
}
