/* eb_quantize on AVX-512: see quantize.h. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"

/* Rounds as the processor is set: to nearest, ties to even, as every program starts. */
EB_INLINE void store_bytes(int8_t* q, const vf* v) {
  _mm_storeu_si128((__m128i*)q, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v[0])));
}

#include "quantize.h"
