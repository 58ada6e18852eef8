/* context_tile on AVX-512: VPOPCNTD adds the context up in 32-bit lanes. */
#include <string.h>

#define VALUE_BYTES 4

EB_INLINE void context_columns(const uint8_t* values, const uint8_t* maps, size_t map_count, size_t map_bytes,
                               size_t steps, int32_t* context, const int vectors) {
  __m512i sum[4][4];
  EB_UNROLL for (int r = 0; r < 4; r++) {
    EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = _mm512_setzero_si512();
  }
  for (size_t s = 0; s < map_count; s++) {
    for (size_t step = 0; step < steps; step++) {
      __m512i negative[4];
      EB_UNROLL for (int v = 0; v < vectors; v++) negative[v] = _mm512_loadu_si512(values + step * 1024 + 64 * v);
      EB_UNROLL for (int r = 0; r < 4; r++) {
        int32_t word;
        memcpy(&word, maps + ((size_t)r * map_count + s) * map_bytes + 4 * step, sizeof(word));
        const __m512i map = _mm512_set1_epi32(word);
        EB_UNROLL for (int v = 0; v < vectors; v++) {
          sum[r][v] = _mm512_add_epi32(sum[r][v], _mm512_popcnt_epi32(_mm512_and_si512(negative[v], map)));
        }
      }
    }
  }
  EB_UNROLL for (int r = 0; r < 4; r++) {
    EB_UNROLL for (int v = 0; v < vectors; v++) {
      int32_t* at = context + r * 256 + v * 16;
      _mm512_storeu_si512(at, _mm512_sub_epi32(_mm512_loadu_si512(at), _mm512_slli_epi32(sum[r][v], 1)));
    }
  }
}

static void context_tile(const uint8_t* values, const uint8_t* maps, size_t map_count, size_t map_bytes, size_t steps,
                         size_t head_dim, int32_t context[][256]) {
  size_t c = 0;
  for (; c + 64 <= head_dim; c += 64) {
    context_columns(values + 4 * c, maps, map_count, map_bytes, steps, &context[0][c], 4);
  }
  for (; c < head_dim; c += 16) {
    context_columns(values + 4 * c, maps, map_count, map_bytes, steps, &context[0][c], 1);
  }
}
