/* The byte vocabulary of the attention kernels, on AVX-512 with BITALG. */
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
EB_INLINE vu8 vu8_xor(vu8 a, vu8 b) { return _mm512_xor_si512(a, b); }
EB_INLINE vu8 vu8_sub(vu8 a, vu8 b) { return _mm512_sub_epi8(a, b); }
/* sum + popcount of each byte of x */
EB_INLINE vu8 vu8_add_popcount(vu8 sum, vu8 x) { return _mm512_add_epi8(sum, _mm512_popcnt_epi8(x)); }

/* Bit i is p[i] >= t, over 64 bytes. */
EB_INLINE uint64_t vu8_at_least_bits(const uint8_t* p, uint8_t t) {
  return _mm512_cmpge_epu8_mask(vu8_load(p), vu8_set1(t));
}

#endif
