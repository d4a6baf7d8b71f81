/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/* What a first byte asks for: how many bytes in all (0: it is no first byte) and the range of the second one. The others are
 * 80..BF. */
typedef struct {
  unsigned len;
  unsigned char low, high;
} Lead;

static Lead lead_of(unsigned char c) {
  if (c < 0x80)
    return (Lead){c != 0, 0, 0};
  if (c < 0xC2 || c > 0xF4)
    return (Lead){0, 0, 0};
  if (c < 0xE0)
    return (Lead){2, 0x80, 0xBF};
  if (c < 0xF0)
    return (Lead){3, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF};
  return (Lead){4, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF};
}

/* How many of the left bytes fit the character that begins at p; *ret_len is what it asks for. */
static unsigned fitting(const unsigned char *p, size_t left, unsigned *ret_len) {
  Lead lead = lead_of(p[0]);
  *ret_len = lead.len;
  if (lead.len == 0)
    return 0;
  unsigned i = 1;
  for (; i < lead.len && i < left; i++) {
    unsigned char low = i == 1 ? lead.low : 0x80;
    unsigned char high = i == 1 ? lead.high : 0xBF;
    if (p[i] < low || p[i] > high)
      break;
  }
  return i;
}

#ifdef __x86_64__
/* Bytes from p on, a multiple of 32, that are ASCII without NUL: as signed numbers they are above zero. */
__attribute__((target("avx2"))) static size_t ascii_avx2(const char *p, size_t len) {
  const __m256i zero = _mm256_setzero_si256();
  size_t at = 0;
  for (; len - at >= 64; at += 64) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 32));
    __m256i both = _mm256_and_si256(_mm256_cmpgt_epi8(a, zero), _mm256_cmpgt_epi8(b, zero));
    if (_mm256_movemask_epi8(both) != -1)
      break;
  }
  return at;
}
#endif

static size_t ascii_words(const char *p, size_t len) {
  size_t at = 0;
  for (; len - at >= 8; at += 8) {
    uint64_t word;
    memcpy(&word, p + at, 8);
    uint64_t not_zero = (word + UINT64_C(0x7F7F7F7F7F7F7F7F)) & ~word; /* exact only while no byte is above 7F, which ~word sees to */
    if ((not_zero & UINT64_C(0x8080808080808080)) != UINT64_C(0x8080808080808080))
      break;
  }
  return at;
}

size_t px_utf8_prefix(const char *bytes, size_t len) {
  size_t at = 0;
  while (at < len) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
      at += ascii_avx2(bytes + at, len - at);
#endif
    at += ascii_words(bytes + at, len - at);
    /* The rest of a word with something in it, then the characters up to the next stretch of ASCII. */
    size_t stop = at + 8 < len ? at + 8 : len;
    while (at < stop || (at < len && (unsigned char)bytes[at] >= 0x80)) {
      unsigned need;
      unsigned fit = fitting((const unsigned char *)bytes + at, len - at, &need);
      if (need == 0 || fit < need)
        return at;
      at += need;
    }
  }
  return at;
}

bool px_utf8_cut(const char *bytes, size_t len) {
  unsigned need;
  return len > 0 && fitting((const unsigned char *)bytes, len, &need) == len && need > len;
}
