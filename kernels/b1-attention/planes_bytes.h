/* Scores and context where a vector's bytes are counted by one instruction: XOR or AND, count, ADD.
 *
 * A lane is a token (agree_rows) or a column (context_rows). Bytes take 31 steps of context (31 * 8 = 248). */
#include <string.h>

#include "../internal/compiler.h"
#ifdef __aarch64__
#include "tile_neon.h"
#endif

#define ROWS 4
#define PLANES 1
#define MAX_HEAD_DIM 248
#define BYTE_STEPS 31

/* `vectors` vectors of tokens for ROWS rows. q: broadcasts [byte][ROWS]. Keys are inverted, so that ones are where
 * signs agree. The first byte starts the sums, which saves its additions. */
EB_INLINE void agree_tile(const uint8_t* keys, size_t bytes, const vu8* q, uint8_t* agree, size_t stride,
                          const int vectors) {
#ifdef __aarch64__
  if (vectors == VU8_TILE) {
    tile_agree(keys, bytes, q, agree, stride);
    return;
  }
#endif
  vu8 sum[ROWS][VU8_TILE], k[VU8_TILE];
  vu8_load_tile(k, keys, vectors);
  EB_UNROLL for (int r = 0; r < ROWS; r++) {
    EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vu8_popcount(vu8_xor(k[v], q[r]));
  }
  for (size_t b = 1; b < bytes; b++) {
    keys += 64;
    q += ROWS;
    vu8_load_tile(k, keys, vectors);
    EB_UNROLL for (int r = 0; r < ROWS; r++) {
      EB_UNROLL for (int v = 0; v < vectors; v++) { sum[r][v] = vu8_add(sum[r][v], vu8_popcount(vu8_xor(k[v], q[r]))); }
    }
  }
  EB_UNROLL for (int r = 0; r < ROWS; r++) {
    EB_UNROLL for (int v = 0; v < vectors; v++) vu8_store(agree + (size_t)r * stride + v * VU8_LANES, sum[r][v]);
  }
}

EB_NOINLINE void agree_rows(const uint8_t* keys, size_t tokens, size_t bytes, const uint8_t* const q[ROWS],
                            uint8_t* agree, size_t stride) {
  vu8 broadcast[(MAX_HEAD_DIM / 8 + 1) * ROWS];
  for (size_t b = 0; b < bytes; b++) {
    EB_UNROLL for (size_t r = 0; r < ROWS; r++) broadcast[b * ROWS + r] = vu8_set1(q[r][b]);
  }
  size_t token = 0;
  for (; token + VU8_TILE * VU8_LANES <= EB_CEIL_DIV(tokens, VU8_LANES) * VU8_LANES; token += VU8_TILE * VU8_LANES) {
    agree_tile(keys + token * bytes, bytes, broadcast, agree + token, stride, VU8_TILE);
  }
  keys += token * bytes;
  for (; token < tokens; token += VU8_LANES, keys += VU8_LANES) {
    agree_tile(keys, bytes, broadcast, agree + token, stride, 1);
  }
}

EB_INLINE void context_block(const uint8_t* values, size_t columns, const uint8_t* maps, size_t row_stride,
                             size_t steps, vu8 sum[][VU8_TILE], const int vectors) {
  const uint8_t* map[ROWS];
  EB_UNROLL for (int r = 0; r < ROWS; r++) {
    map[r] = maps + (size_t)r * row_stride;
    EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vu8_set1(0);
  }
#ifdef __aarch64__
  if (vectors == VU8_TILE) {
    uint8_t sums[ROWS][VU8_TILE * VU8_LANES];
    tile_context(values, columns, steps, map, sums[0]);
    EB_UNROLL for (int r = 0; r < ROWS; r++) {
      EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vu8_load(sums[r] + v * VU8_LANES);
    }
    return;
  }
#endif
  for (size_t step = 0; step < steps; step++, values += columns) {
    vu8 negative[VU8_TILE];
    vu8_load_tile(negative, values, vectors);
    EB_UNROLL for (int r = 0; r < ROWS; r++) {
      const vu8 on = vu8_set1(map[r][step]);
      EB_UNROLL for (int v = 0; v < vectors; v++) {
        sum[r][v] = vu8_add(sum[r][v], vu8_popcount(vu8_and(negative[v], on)));
      }
    }
  }
}
