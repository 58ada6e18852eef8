/* The byte vocabulary of the attention kernels, on AVX2. */
#ifndef EDGEBIN_SIMD_U8_H
#define EDGEBIN_SIMD_U8_H

#include <immintrin.h>
#include <stdint.h>

#include "../internal/compiler.h"

typedef __m256i vu8;
#define VU8_LANES 32
#define VU8_TILE                                                                                      \
  2 /* vectors that share one look-up table: 4 rows x 2 vectors of sums, tables and planes on the way \
     */

EB_INLINE vu8 vu8_load(const uint8_t* p) { return _mm256_loadu_si256((const __m256i*)p); }
EB_INLINE void vu8_store(uint8_t* p, vu8 v) { _mm256_storeu_si256((__m256i*)p, v); }
EB_INLINE vu8 vu8_set1(uint8_t x) { return _mm256_set1_epi8((char)x); }
EB_INLINE vu8 vu8_and(vu8 a, vu8 b) { return _mm256_and_si256(a, b); }
EB_INLINE vu8 vu8_add(vu8 a, vu8 b) { return _mm256_add_epi8(a, b); }
EB_INLINE vu8 vu8_sub(vu8 a, vu8 b) { return _mm256_sub_epi8(a, b); }
EB_INLINE vu8 vu8_max(vu8 a, vu8 b) { return _mm256_max_epu8(a, b); }
EB_INLINE vu8 vu8_min(vu8 a, vu8 b) { return _mm256_min_epu8(a, b); }
EB_INLINE uint8_t vu8_max_across(vu8 v) {
  __m128i most = _mm_max_epu8(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  /* PHMINPOSUW finds the least of eight halfwords; of a byte and its neighbour, the larger: inverted, the lesser. */
  most = _mm_max_epu8(most, _mm_srli_epi16(most, 8));
  most = _mm_andnot_si128(most, _mm_set1_epi16(255));
  return (uint8_t)~_mm_cvtsi128_si32(_mm_minpos_epu16(most));
}
EB_INLINE uint8_t vu8_min_across(vu8 v) { return (uint8_t)~vu8_max_across(_mm256_xor_si256(v, _mm256_set1_epi8(-1))); }
EB_INLINE int32_t vu8_popcount_across(vu8 v) {
  int64_t ones = 0;
  ones += __builtin_popcountll((uint64_t)_mm256_extract_epi64(v, 0));
  ones += __builtin_popcountll((uint64_t)_mm256_extract_epi64(v, 1));
  ones += __builtin_popcountll((uint64_t)_mm256_extract_epi64(v, 2));
  ones += __builtin_popcountll((uint64_t)_mm256_extract_epi64(v, 3));
  return (int32_t)ones;
}

/* The same 16 bytes twice, and bytes looked up in them; indices are 0 .. 15. */
EB_INLINE vu8 vu8_broadcast16(const uint8_t* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)p));
}
EB_INLINE vu8 vu8_look_up16(vu8 table, vu8 index) { return _mm256_shuffle_epi8(table, index); }

/* `bits` with bit `bit` of each byte set where v >= limit; called for the bits 0, 1 ... in turn. */
EB_INLINE vu8 vu8_put_at_least(vu8 bits, const int bit, vu8 v, vu8 limit) {
  const __m256i at_least = _mm256_cmpeq_epi8(_mm256_max_epu8(v, limit), v);
  return _mm256_or_si256(bits, _mm256_and_si256(at_least, _mm256_set1_epi8((char)(1 << bit))));
}

/* A table of bytes; indices past its end give 0. */
#define VU8_WINDOW 32
#define VU8_WINDOWS 2 /* 2 rows of two planes of two registers fill half the register file */
typedef struct {
  __m256i low, high;
} vu8_window;
EB_INLINE vu8_window vu8_load_window(const uint8_t* p) {
  return (vu8_window){vu8_broadcast16(p), vu8_broadcast16(p + 16)};
}
/* VPSHUFB gives 0 where bit 7 of an index is set: so it is, by saturation, for all that the half does not have. */
EB_INLINE vu8 vu8_look_up(vu8_window window, vu8 index) {
  const __m256i edge = _mm256_set1_epi8(0x70);
  const __m256i low = _mm256_adds_epu8(index, edge);
  const __m256i high = _mm256_adds_epu8(_mm256_sub_epi8(index, _mm256_set1_epi8(16)), edge);
  return _mm256_or_si256(_mm256_shuffle_epi8(window.low, low), _mm256_shuffle_epi8(window.high, high));
}

/* Sums of bytes in wider lanes. */
typedef __m256i vu8_sums;
EB_INLINE vu8_sums vu8_no_sums(void) { return _mm256_setzero_si256(); }
EB_INLINE vu8_sums vu8_add_to_sums(vu8_sums sums, vu8 v) {
  return _mm256_add_epi64(sums, _mm256_sad_epu8(v, _mm256_setzero_si256()));
}
EB_INLINE uint64_t vu8_sums_across(vu8_sums sums) {
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  return (uint64_t)_mm_cvtsi128_si64(half) + (uint64_t)_mm_extract_epi64(half, 1);
}

/* p[i] = base - 2 * v[i] */
EB_INLINE void vu8_store_less_twice(int32_t* p, int32_t base, vu8 v) {
  uint8_t bytes[32];
  vu8_store(bytes, v);
  EB_UNROLL for (int i = 0; i < 4; i++) {
    const __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)(bytes + 8 * i)));
    _mm256_storeu_si256((__m256i*)(p + 8 * i), _mm256_sub_epi32(_mm256_set1_epi32(base), _mm256_slli_epi32(wide, 1)));
  }
}

/* p[i] -= 2 * v[i] */
EB_INLINE void vu8_subtract_twice(int32_t* p, vu8 v) {
  uint8_t bytes[32];
  vu8_store(bytes, v);
  EB_UNROLL for (int i = 0; i < 4; i++) {
    __m256i* at = (__m256i*)(p + 8 * i);
    const __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)(bytes + 8 * i)));
    _mm256_storeu_si256(at, _mm256_sub_epi32(_mm256_loadu_si256(at), _mm256_slli_epi32(wide, 1)));
  }
}

#endif
