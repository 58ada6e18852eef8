/* Scores and context where four bits are counted by a look-up: a row's nibble chooses a table of 16 bytes, the planes'
 * nibbles index it. Two instructions for four bits, where counting a byte takes eight.
 *
 * A lane is a token (agree_rows) or a column (context_rows). Bytes take 31 steps of context (31 * 8 = 248). */
#include <string.h>

#include "../internal/compiler.h"

#define ROWS 4
#define PLANES 2
#define MAX_HEAD_DIM 248
#define BYTE_STEPS 31

#define BITS4(x) (((x) & 1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1))
#define XOR_4(i, j) BITS4((i) ^ (j)), BITS4((i) ^ ((j) + 1)), BITS4((i) ^ ((j) + 2)), BITS4((i) ^ ((j) + 3))
#define AND_4(i, j) BITS4((i) & (j)), BITS4((i) & ((j) + 1)), BITS4((i) & ((j) + 2)), BITS4((i) & ((j) + 3))
#define TABLE(of, i) {of(i, 0), of(i, 4), of(i, 8), of(i, 12)}
#define TABLES(of)                                                                             \
  {                                                                                            \
      TABLE(of, 0),  TABLE(of, 1),  TABLE(of, 2),  TABLE(of, 3), TABLE(of, 4),  TABLE(of, 5),  \
      TABLE(of, 6),  TABLE(of, 7),  TABLE(of, 8),  TABLE(of, 9), TABLE(of, 10), TABLE(of, 11), \
      TABLE(of, 12), TABLE(of, 13), TABLE(of, 14), TABLE(of, 15)}
static const uint8_t kDiffering[16][16] __attribute__((aligned(64))) = TABLES(XOR_4);
static const uint8_t kCommon[16][16] __attribute__((aligned(64))) = TABLES(AND_4);

/* 64 tokens at most for ROWS rows. tables: [nibble][ROWS]. */
EB_INLINE void agree_tile(const uint8_t* keys, const size_t bytes, const uint8_t (*tables)[16], uint8_t* agree,
                          size_t stride, const int vectors) {
  vu8 sum[ROWS][2];
  EB_UNROLL for (int r = 0; r < ROWS; r++) { EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vu8_set1(0); }
  for (size_t nibble = 0; nibble < 2 * bytes; nibble++, tables += ROWS, keys += 64) {
    EB_UNROLL for (int r = 0; r < ROWS; r++) {
      const vu8 table = vu8_broadcast16(tables[r]);
      EB_UNROLL for (int v = 0; v < vectors; v++) {
        sum[r][v] = vu8_add(sum[r][v], vu8_look_up16(table, vu8_load(keys + v * VU8_LANES)));
      }
    }
  }
  EB_UNROLL for (int r = 0; r < ROWS; r++) {
    EB_UNROLL for (int v = 0; v < vectors; v++) vu8_store(agree + (size_t)r * stride + v * VU8_LANES, sum[r][v]);
  }
}

EB_NOINLINE void agree_rows(const uint8_t* keys, size_t tokens, size_t bytes, const uint8_t* const q[ROWS],
                            uint8_t* agree, size_t stride) {
  uint8_t tables[MAX_HEAD_DIM / 4 * ROWS][16];
  for (size_t b = 0; b < bytes; b++) {
    for (size_t r = 0; r < ROWS; r++) {
      memcpy(tables[2 * b * ROWS + r], kDiffering[q[r][b] & 15], 16);
      memcpy(tables[(2 * b + 1) * ROWS + r], kDiffering[q[r][b] >> 4], 16);
    }
  }
  size_t token = 0;
  for (; token + VU8_LANES < tokens; token += 64) {
    agree_tile(keys + 2 * token * bytes, bytes, tables, agree + token, stride, 2);
  }
  if (token < tokens) agree_tile(keys + 2 * token * bytes, bytes, tables, agree + token, stride, 1);
}

EB_INLINE void context_block(const uint8_t* values, size_t columns, const uint8_t* maps, size_t row_stride,
                             size_t steps, vu8 sum[][VU8_TILE], const int vectors) {
  EB_UNROLL for (int r = 0; r < ROWS; r++) { EB_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vu8_set1(0); }
  for (size_t step = 0; step < steps; step++, values += 2 * columns) {
    EB_UNROLL for (int r = 0; r < ROWS; r++) {
      const uint8_t map = maps[(size_t)r * row_stride + step];
      const vu8 low = vu8_broadcast16(kCommon[map & 15]), high = vu8_broadcast16(kCommon[map >> 4]);
      EB_UNROLL for (int v = 0; v < vectors; v++) {
        sum[r][v] = vu8_add(sum[r][v], vu8_look_up16(low, vu8_load(values + v * VU8_LANES)));
        sum[r][v] = vu8_add(sum[r][v], vu8_look_up16(high, vu8_load(values + columns + v * VU8_LANES)));
      }
    }
  }
}
