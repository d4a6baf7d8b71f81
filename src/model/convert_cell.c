/* SPDX-License-Identifier: Apache-2.0 */
/* Values -> cells. */
#include "model/convert_private.h"

#include <string.h>

static PxCell text_cell(PxCellKind kind, const char *text, size_t len) {
  return (PxCell){.ptr = text, .len = (uint32_t)len, .kind = (uint8_t)kind};
}

static bool writes_comma(const PxField *field, const PxConvertOptions *options) {
  return options->decimal_comma && !options->native_numbers && field->type == PX_TYPE_DECIMAL;
}

static PxCell boolean_cell(const PxConvertOptions *options, bool boolean) {
  if (!options->own_booleans)
    return boolean ? text_cell(PX_CELL_BOOLEAN, "true", 4) : text_cell(PX_CELL_BOOLEAN, "false", 5);
  const char *word = (boolean ? options->true_words : options->false_words)[0];
  return text_cell(*word ? PX_CELL_TEXT : PX_CELL_EMPTY, word, strlen(word));
}

static PxCell number_cell(const PxField *field, const PxConvertOptions *options, PxArena *arena, const PxValue *value) {
  char *text = px_arena_alloc(arena, PX_NUMBER_TEXT_SIZE);
  size_t len = px_number_text(value, text);
  char *point = writes_comma(field, options) ? memchr(text, '.', len) : NULL;
  if (point)
    *point = ',';
  return text_cell(PX_CELL_NUMBER, text, len);
}

static PxCell format_text(const PxField *field, const PxConvertOptions *options, PxArena *arena, const PxValue *value) {
  bool naive = false;
  PxValue shown = *value;
  PxValue number;
  switch (field->type) {
  case PX_TYPE_DATE:
    if (px_date_print(options, options->date_formats, field, arena, *value, &shown))
      return text_cell(PX_CELL_TEXT, shown.text, shown.len);
    return text_cell(px_time_check_date(value->text, value->len) == PX_TIME_OK ? PX_CELL_DATE : PX_CELL_TEXT, value->text, value->len);
  case PX_TYPE_DATETIME:
    if (px_date_print(options, options->datetime_formats, field, arena, *value, &shown))
      return text_cell(PX_CELL_TEXT, shown.text, shown.len);
    if (!px_time_show(value->text, value->len, options->timezone, field->with_zone, arena, &shown, &naive))
      shown = *value;
    return text_cell(naive ? PX_CELL_DATETIME : PX_CELL_TEXT, shown.text, shown.len);
  case PX_TYPE_DECIMAL:
    if (px_number_decimal(value->text, value->len, '.', &number, NULL) != PX_NUMBER_OK)
      break;
    if (writes_comma(field, options) && memchr(value->text, '.', value->len)) {
      char *copy = px_arena_strndup(arena, value->text, value->len);
      *strchr(copy, '.') = ',';
      return text_cell(PX_CELL_NUMBER, copy, value->len);
    }
    return text_cell(PX_CELL_NUMBER, value->text, value->len);
  case PX_TYPE_BOOLEAN:
    if (value->len == 1 && (value->text[0] == '0' || value->text[0] == '1'))
      return boolean_cell(options, value->text[0] == '1');
    break;
  default:
    break;
  }
  return text_cell(PX_CELL_TEXT, value->text, value->len);
}

PxCell px_field_format(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxValue value) {
  switch ((PxValueKind)value.kind) {
  case PX_NULL:
    return text_cell(PX_CELL_EMPTY, "", 0);
  case PX_INTEGER:
    if (field->type == PX_TYPE_BOOLEAN)
      return boolean_cell(options, value.integer != 0);
    return number_cell(field, options, arena, &value);
  case PX_REAL:
    return number_cell(field, options, arena, &value);
  case PX_TEXT:
    if (field->type == PX_TYPE_BINARY)
      break;
    return format_text(field, options, arena, &value);
  case PX_BLOB:
    break;
  }
  g_autofree char *text = g_base64_encode((const guchar *)value.text, value.len);
  size_t len = strlen(text);
  return text_cell(PX_CELL_TEXT, px_arena_strndup(arena, text, len), len);
}
