/* context_tile on byte lanes: a lane is one column, a step eight tokens. Bytes take 31 steps (31 * 8 = 248). */
#include <string.h>

#include "../internal/compiler.h"

#define VALUE_BYTES 1
#define BYTE_STEPS 31

EB_INLINE void context_columns(const uint8_t* values, const uint8_t* maps, size_t row_stride, size_t steps,
                               int32_t* context, const int vectors) {
  for (size_t block = 0; block < steps; block += BYTE_STEPS) {
    vu8 sum[4][VU8_TILE];
    EB_UNROLL for (int r = 0; r < 4; r++) { EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vu8_set1(0); }
    for (size_t step = block; step < EB_MIN(block + BYTE_STEPS, steps); step++) {
      vu8 negative[VU8_TILE];
      EB_UNROLL for (int v = 0; v < vectors; v++) negative[v] = vu8_load(values + step * 256 + (size_t)v * VU8_LANES);
      EB_UNROLL for (int r = 0; r < 4; r++) {
        const vu8 map = vu8_set1(maps[(size_t)r * row_stride + step]);
        EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vu8_add_popcount(sum[r][v], vu8_and(negative[v], map));
      }
    }
    EB_UNROLL for (int r = 0; r < 4; r++) {
      EB_UNROLL for (int v = 0; v < vectors; v++) vu8_subtract_twice(context + r * 256 + v * VU8_LANES, sum[r][v]);
    }
  }
}

static void context_tile(const uint8_t* values, const uint8_t* maps, size_t map_count, size_t map_bytes, size_t steps,
                         size_t head_dim, int32_t context[][256]) {
  for (size_t s = 0; s < map_count; s++) {
    const uint8_t* map = maps + s * map_bytes;
    size_t c = 0;
    for (; c + VU8_TILE * VU8_LANES <= head_dim; c += VU8_TILE * VU8_LANES) {
      context_columns(values + c, map, map_count * map_bytes, steps, &context[0][c], VU8_TILE);
    }
    for (; c < head_dim; c += VU8_LANES) {
      context_columns(values + c, map, map_count * map_bytes, steps, &context[0][c], 1);
    }
  }
}
