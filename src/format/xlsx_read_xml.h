/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A pull reader of the large XML parts of a workbook: a member of the archive -> window -> tokens. Tokens are views of the window.
 *
 * It checks what a wrong reading could hide behind (tags that do not match, endless tags, bytes that are not UTF-8, DOCTYPE) and not
 * what only a validator cares for. Namespace prefixes are dropped: the parts it reads have no two elements that differ by them alone.
 */
#include "format/zip_private.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define PX_XML_MAX_ATTRIBUTES 64
#define PX_XML_MAX_DEPTH 64

typedef struct {
  const char *name, *value; /* without prefix and quotes; entities are as written */
  uint32_t name_len, value_len;
} PxXmlAttribute;

typedef enum {
  PX_XML_START, /* empty: there will be no end of it */
  PX_XML_END,
  PX_XML_TEXT,  /* escaped: px_xml_decode() it */
  PX_XML_CDATA, /* text that is never escaped */
  PX_XML_MORE,  /* the token does not end in the window: px_xml_fill() */
  PX_XML_EOF,
  PX_XML_BAD,
} PxXmlKind;

typedef struct {
  const char *ptr; /* the name of an element without prefix, or text */
  size_t len;
  bool empty, escaped;
  bool underscore; /* text: there may be one in it */
} PxXmlToken;

typedef struct {
  PxZipStream *stream;
  uint64_t consumed; /* packed bytes, for progress */
  char *bytes;
  size_t capacity, len;
  char cut[4]; /* the first bytes of a character whose rest is not there yet */
  size_t n_cut;
  const char *complaint; /* about what stands behind len */
  size_t max;            /* the window does not grow beyond */
  bool at_end, started;
  bool rooted; /* the root element has begun */
  size_t max_depth;
  const char *at; /* the next token begins here */
  size_t depth;   /* elements that are open */
  uint64_t open[PX_XML_MAX_DEPTH];
  PxXmlAttribute attributes[PX_XML_MAX_ATTRIBUTES]; /* of the last PX_XML_START */
  size_t n_attributes;
} PxXml;

/* max_token: so many bytes a caller may want to have in the window at once. max_depth: elements within one another. */
bool px_xml_open(PxXml *xml, const PxZip *zip, const PxZipMember *member, size_t max_token, uint64_t max_depth, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same with the size of the first window (0: the usual one). */
bool px_xml_open_sized(PxXml *xml, const PxZip *zip, const PxZipMember *member, size_t window, size_t max_token, uint64_t max_depth, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A cleared one too. */
void px_xml_close(PxXml *xml);

/* PX_XML_BAD: PX_ERROR_REFUSED. */
PxXmlKind px_xml_next(PxXml *xml, PxXmlToken *ret_token, GError **error);
/* More behind what is kept, from keep (inside the window) on; at is set to keep, wherever it is now. Every view of the window is void. */
bool px_xml_fill(PxXml *xml, const char *keep, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* px_xml_next() for callers that keep no token: fills as needed. */
PxXmlKind px_xml_next_filled(PxXml *xml, PxXmlToken *ret_token, GError **error);
/* The value of an attribute of the last start; NULL: it has none. */
const PxXmlAttribute *px_xml_attribute(const PxXml *xml, const char *name);

static inline bool px_xml_is(const PxXmlToken *token, const char *name, size_t len) {
  return token->len == len && __builtin_memcmp(token->ptr, name, len) == 0;
}

static inline bool px_xml_value_is(const PxXmlAttribute *attribute, const char *value) {
  return attribute->value_len == __builtin_strlen(value) && __builtin_memcmp(attribute->value, value, attribute->value_len) == 0;
}

typedef struct {
  bool escaped;    /* holds & or CR: px_xml_decode() it */
  bool underscore; /* holds one, which _x000D_ begins with */
} PxXmlMarks;

/* The end of the text at p: the next < or NUL. Sets what it finds before. Reads up to 15 bytes behind the end. */
static inline const char *px_xml_scan_text(const char *p, PxXmlMarks *marks) {
#ifdef __SSE2__
  unsigned escaped = 0;
  unsigned underscore = 0;
  for (;; p += 16) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i end = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('<')), _mm_cmpeq_epi8(block, _mm_setzero_si128()));
    __m128i special = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('&')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\r')));
    unsigned ends = (unsigned)_mm_movemask_epi8(end);
    unsigned before = ends ? (ends & -ends) - 1 : 0xFFFF;
    escaped |= (unsigned)_mm_movemask_epi8(special) & before;
    underscore |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8('_'))) & before;
    if (ends) {
      marks->escaped |= escaped != 0;
      marks->underscore |= underscore != 0;
      return p + __builtin_ctz(ends);
    }
  }
#else
  for (; *p != '<' && *p != '\0'; p++) {
    marks->escaped |= *p == '&' || *p == '\r';
    marks->underscore |= *p == '_';
  }
  return p;
#endif
}

/* Entities and line ends of len bytes of text; to has room for as many. Returns how many came of it; SIZE_MAX: an unknown entity, *ret_bad
 * is where. */
size_t px_xml_decode(const char *text, size_t len, char *to, const char **ret_bad);
