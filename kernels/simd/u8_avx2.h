/* The byte vocabulary of the attention kernels, on AVX2. */
#ifndef EDGEBIN_SIMD_U8_H
#define EDGEBIN_SIMD_U8_H

#include <immintrin.h>
#include <stdint.h>

#include "../internal/compiler.h"

typedef __m256i vu8;
#define VU8_LANES 32
#define VU8_TILE 1 /* vectors that share one broadcast: 4 rows x 1 vector, for the popcount itself takes registers */

EB_INLINE vu8 vu8_load(const uint8_t* p) { return _mm256_loadu_si256((const __m256i*)p); }
EB_INLINE void vu8_store(uint8_t* p, vu8 v) { _mm256_storeu_si256((__m256i*)p, v); }
EB_INLINE vu8 vu8_set1(uint8_t x) { return _mm256_set1_epi8((char)x); }
EB_INLINE vu8 vu8_and(vu8 a, vu8 b) { return _mm256_and_si256(a, b); }
EB_INLINE vu8 vu8_xor(vu8 a, vu8 b) { return _mm256_xor_si256(a, b); }
EB_INLINE vu8 vu8_sub(vu8 a, vu8 b) { return _mm256_sub_epi8(a, b); }

/* sum + popcount of each byte of x, by its two nibbles */
EB_INLINE vu8 vu8_add_popcount(vu8 sum, vu8 x) {
  const __m256i counts = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(x, nibble));
  const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble));
  return _mm256_add_epi8(sum, _mm256_add_epi8(low, high));
}

/* Bit i is p[i] >= t, over 64 bytes. */
EB_INLINE uint64_t vu8_at_least_bits(const uint8_t* p, uint8_t t) {
  const __m256i limit = _mm256_set1_epi8((char)t);
  uint64_t bits = 0;
  EB_UNROLL for (int i = 0; i < 2; i++) {
    const __m256i v = vu8_load(p + 32 * i);
    bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(v, limit), v)) << (32 * i);
  }
  return bits;
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
