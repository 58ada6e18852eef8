/* The byte vocabulary of the attention kernels, on AVX-512 with BITALG and VBMI. */
#ifndef EDGEBIN_SIMD_U8_H
#define EDGEBIN_SIMD_U8_H

#include <immintrin.h>
#include <stdint.h>

#include "../internal/compiler.h"

typedef __m512i vu8;
#define VU8_LANES 64
#define VU8_TILE 1 /* vectors that share one broadcast: broadcasts come from memory, so one is enough */

EB_INLINE vu8 vu8_load(const uint8_t* p) { return _mm512_loadu_si512(p); }
EB_INLINE void vu8_store(uint8_t* p, vu8 v) { _mm512_storeu_si512(p, v); }
EB_INLINE vu8 vu8_set1(uint8_t x) { return _mm512_set1_epi8((char)x); }
EB_INLINE vu8 vu8_and(vu8 a, vu8 b) { return _mm512_and_si512(a, b); }
EB_INLINE vu8 vu8_xor(vu8 a, vu8 b) { return _mm512_xor_si512(a, b); }
EB_INLINE vu8 vu8_add(vu8 a, vu8 b) { return _mm512_add_epi8(a, b); }
EB_INLINE vu8 vu8_sub(vu8 a, vu8 b) { return _mm512_sub_epi8(a, b); }
EB_INLINE vu8 vu8_max(vu8 a, vu8 b) { return _mm512_max_epu8(a, b); }
EB_INLINE vu8 vu8_min(vu8 a, vu8 b) { return _mm512_min_epu8(a, b); }
EB_INLINE uint8_t vu8_max_across(vu8 v) {
  const __m256i half = _mm256_max_epu8(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
  __m128i most = _mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  /* PHMINPOSUW finds the least of eight halfwords; of a byte and its neighbour, the larger: inverted, the lesser. */
  most = _mm_max_epu8(most, _mm_srli_epi16(most, 8));
  most = _mm_andnot_si128(most, _mm_set1_epi16(255));
  return (uint8_t)~_mm_cvtsi128_si32(_mm_minpos_epu16(most));
}
EB_INLINE uint8_t vu8_min_across(vu8 v) { return (uint8_t)~vu8_max_across(_mm512_xor_si512(v, _mm512_set1_epi8(-1))); }
EB_INLINE int32_t vu8_popcount_across(vu8 v) { return (int32_t)_mm512_reduce_add_epi64(_mm512_popcnt_epi64(v)); }
EB_INLINE vu8 vu8_popcount(vu8 x) { return _mm512_popcnt_epi8(x); }

/* VU8_TILE vectors, one here. */
EB_INLINE void vu8_load_tile(vu8* v, const uint8_t* p, const int vectors) {
  (void)vectors;
  v[0] = vu8_load(p);
}

/* `bits` with bit `bit` of each byte set where v >= limit; called for the bits 0, 1 ... in turn. */
EB_INLINE vu8 vu8_put_at_least(vu8 bits, const int bit, vu8 v, vu8 limit) {
  return _mm512_mask_add_epi8(bits, _mm512_cmpge_epu8_mask(v, limit), bits, _mm512_set1_epi8((char)(1 << bit)));
}

/* A table of bytes; indices past its end give 0. */
#define VU8_WINDOW 64
#define VU8_WINDOWS 4 /* rows that are summed in step */
typedef __m512i vu8_window;
EB_INLINE vu8_window vu8_load_window(const uint8_t* p) { return _mm512_loadu_si512(p); }
EB_INLINE vu8 vu8_look_up(vu8_window window, vu8 index) {
  return _mm512_maskz_permutexvar_epi8(_mm512_cmplt_epu8_mask(index, vu8_set1(VU8_WINDOW)), index, window);
}

/* Sums of bytes in wider lanes. */
typedef __m512i vu8_sums;
EB_INLINE vu8_sums vu8_no_sums(void) { return _mm512_setzero_si512(); }
EB_INLINE vu8_sums vu8_add_to_sums(vu8_sums sums, vu8 v) {
  return _mm512_add_epi64(sums, _mm512_sad_epu8(v, _mm512_setzero_si512()));
}
EB_INLINE uint64_t vu8_sums_across(vu8_sums sums) { return (uint64_t)_mm512_reduce_add_epi64(sums); }

/* p[i] = base - 2 * v[i] */
EB_INLINE void vu8_store_less_twice(int32_t* p, int32_t base, vu8 v) {
  uint8_t bytes[64];
  vu8_store(bytes, v);
  EB_UNROLL for (int i = 0; i < 4; i++) {
    const __m512i wide = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)(bytes + 16 * i)));
    _mm512_storeu_si512(p + 16 * i, _mm512_sub_epi32(_mm512_set1_epi32(base), _mm512_slli_epi32(wide, 1)));
  }
}

/* p[i] -= 2 * v[i] */
EB_INLINE void vu8_subtract_twice(int32_t* p, vu8 v) {
  uint8_t bytes[64];
  vu8_store(bytes, v);
  EB_UNROLL for (int i = 0; i < 4; i++) {
    const __m512i wide = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)(bytes + 16 * i)));
    const __m512i from = _mm512_loadu_si512(p + 16 * i);
    _mm512_storeu_si512(p + 16 * i, _mm512_sub_epi32(from, _mm512_slli_epi32(wide, 1)));
  }
}

#endif
