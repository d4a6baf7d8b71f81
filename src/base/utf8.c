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
#define AVX2 __attribute__((target("avx2")))

/* Each bit is a way in which two neighbours cannot stand together. The two halves of the first byte and the upper half of the second
 * one each say which are possible; what all three say is wrong (Keiser, Lemire: Validating UTF-8 In Less Than One Instruction Per Byte). */
enum {
  SHORT = 1,        /* a first byte, and then none of the middle */
  LONG = 2,         /* ASCII, and then a middle byte */
  OVERLONG_3 = 4,   /* E0 80..9F */
  LARGE = 8,        /* F4 90.. and above */
  SURROGATE = 16,   /* ED A0..BF */
  OVERLONG_2 = 32,  /* C0, C1 */
  LARGE_8X = 64,    /* F5.. 80..8F */
  OVERLONG_4 = 64,  /* F0 80..8F */
  TWO_MIDDLE = 128, /* two middle bytes: wrong unless a first byte stands two or three before */
  ANY = SHORT | LONG | TWO_MIDDLE,
  MIDDLE = LONG | OVERLONG_2 | TWO_MIDDLE,
};

static const unsigned char FIRST_HIGH[16] = {
  [0x0 ... 0x7] = LONG,
  [0x8 ... 0xB] = TWO_MIDDLE,
  [0xC] = SHORT | OVERLONG_2,
  [0xD] = SHORT,
  [0xE] = SHORT | OVERLONG_3 | SURROGATE,
  [0xF] = SHORT | LARGE | LARGE_8X | OVERLONG_4,
};
static const unsigned char FIRST_LOW[16] = {
  [0x0] = ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
  [0x1] = ANY | OVERLONG_2,
  [0x2 ... 0x3] = ANY,
  [0x4] = ANY | LARGE,
  [0x5 ... 0xC] = ANY | LARGE | LARGE_8X,
  [0xD] = ANY | LARGE | LARGE_8X | SURROGATE,
  [0xE ... 0xF] = ANY | LARGE | LARGE_8X,
};
static const unsigned char SECOND_HIGH[16] = {
  [0x0 ... 0x7] = SHORT,
  [0x8] = MIDDLE | OVERLONG_3 | OVERLONG_4 | LARGE_8X,
  [0x9] = MIDDLE | OVERLONG_3 | LARGE,
  [0xA ... 0xB] = MIDDLE | SURROGATE | LARGE,
  [0xC ... 0xF] = SHORT,
};

/* What the table says about the upper or lower half of each byte. */
AVX2 static inline __m256i look_up(const unsigned char table[16], __m256i halves) {
  __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
  return _mm256_shuffle_epi8(both, _mm256_and_si256(halves, _mm256_set1_epi8(0x0F)));
}

/* The block moved up by n bytes, with the last n of the block before in front. */
#define SHIFTED(block, before, n) _mm256_alignr_epi8((block), _mm256_permute2x128_si256((before), (block), 0x21), 16 - (n))

/* Not zero where a byte of the block is wrong, or completes something wrong. */
AVX2 static inline __m256i wrong_bytes(__m256i block, __m256i before) {
  __m256i first = SHIFTED(block, before, 1);
  __m256i pairs = _mm256_and_si256(look_up(FIRST_HIGH, _mm256_srli_epi16(first, 4)), look_up(FIRST_LOW, first));
  pairs = _mm256_and_si256(pairs, look_up(SECOND_HIGH, _mm256_srli_epi16(block, 4)));
  /* The third byte of three and the third and fourth of four have to be a second middle byte, and nothing else may be. */
  __m256i third = _mm256_subs_epu8(SHIFTED(block, before, 2), _mm256_set1_epi8(0xE0 - 0x80));
  __m256i fourth = _mm256_subs_epu8(SHIFTED(block, before, 3), _mm256_set1_epi8(0xF0 - 0x80));
  __m256i second_middle = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
  __m256i nul = _mm256_cmpeq_epi8(block, _mm256_setzero_si256());
  return _mm256_or_si256(_mm256_xor_si256(second_middle, pairs), nul);
}

/* Not zero where the block ends inside a character. */
AVX2 static inline __m256i cut_at_end(__m256i block) {
  static const unsigned char MOST[32] = {[0 ... 28] = 0xFF, [29] = 0xF0 - 1, [30] = 0xE0 - 1, [31] = 0xC0 - 1};
  __m256i most = _mm256_loadu_si256((const __m256i *)(const void *)MOST);
  return _mm256_subs_epu8(block, most);
}

/* How many bytes, a multiple of 64, nothing is wrong with; the last character among them may be cut. */
AVX2 static size_t prefix_avx2(const char *bytes, size_t len) {
  __m256i before = _mm256_setzero_si256();
  size_t at = 0;
  for (; len - at >= 64; at += 64) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at));
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at + 32));
    /* ASCII other than NUL is above zero as a signed number. */
    const __m256i zero = _mm256_setzero_si256();
    __m256i ascii = _mm256_and_si256(_mm256_cmpgt_epi8(a, zero), _mm256_cmpgt_epi8(b, zero));
    __m256i wrong = _mm256_movemask_epi8(ascii) == -1 ? cut_at_end(before) : _mm256_or_si256(wrong_bytes(a, before), wrong_bytes(b, a));
    if (!_mm256_testz_si256(wrong, wrong))
      break;
    before = b;
  }
  return at;
}

/* at without the beginning of a character that goes on behind it. */
static size_t back_to_whole(const char *bytes, size_t at) {
  for (size_t back = 1; back <= 3 && back <= at; back++)
    if ((unsigned char)bytes[at - back] >= 0xC0)
      return px_utf8_char_len(bytes[at - back]) > back ? at - back : at;
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
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2"))
    at = back_to_whole(bytes, prefix_avx2(bytes, len));
#endif
  while (at < len) {
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
