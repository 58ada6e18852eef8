/* Binary attention for vector machines, four query rows at a time.
 *
 * Per head, once: keys go to byte planes [byte of head_dim][token], so that a vector holds the same eight columns of
 * many tokens and popcounts add up to bytes without a horizontal step; values go to bit columns [group of
 * tokens][column]. Per four rows: agree as bytes -> maps as bits, by the kernel's own rule -> context by popcount: sum
 * of +-1 over a map = popcount(map) - 2 * popcount(map & negative).
 *
 * The variant that includes this has included a simd/u8_*.h and a context (context_bytes.h, context_avx512.h):
 *   VALUE_BYTES                                                                bytes of tokens in one lane of values
 *   context_tile(values, maps, map_count, steps, head_dim, context)            subtracts 2 * popcount(map & negative)
 * and a *_map.h includes this after it has defined
 *   attention_args                                                             the kernel's arguments
 *   map_count(args)                                                            maps of a row
 *   map_rule, map_rule_of(args, head)                                          what a head's maps depend on
 *   write_maps(&rule, row, agree, maps, map_bytes)                             the maps of a row; returns their
 * popcount agree has 64 bytes for every started 64 tokens; those past nkv mean nothing, and their map bits are 0.
 */
#include <string.h>

#include "edgebin.h"
#include "transpose.h"

#define ROWS 4
#define MAX_HEAD_DIM 248
#define COLUMNS 256 /* stride of values and of the context tile, in columns */

typedef struct {
  size_t tokens;   /* nkv, rounded up to whole words of 64 */
  uint8_t* keys;   /* [head_dim / 8][tokens] */
  uint8_t* values; /* [tokens / 8 / VALUE_BYTES][COLUMNS][VALUE_BYTES] */
  uint8_t* agree;  /* [ROWS][tokens] */
  uint8_t* maps;   /* [ROWS][map_count][tokens / 8] */
} attention_workspace;

static size_t padded_tokens(const attention_args* args) { return EB_CEIL_DIV(args->nkv, 64) * 64; }

static size_t workspace_bytes(const attention_args* args) {
  const size_t tokens = padded_tokens(args);
  const size_t maps = EB_CEIL_DIV(ROWS * map_count(args) * tokens / 8, 64) * 64;
  return args->head_dim / 8 * tokens + tokens / 8 * COLUMNS + ROWS * tokens + maps;
}

static attention_workspace split_workspace(const attention_args* args) {
  attention_workspace w = {.tokens = padded_tokens(args)};
  w.keys = args->workspace;
  w.values = w.keys + args->head_dim / 8 * w.tokens;
  w.agree = w.values + w.tokens / 8 * COLUMNS;
  w.maps = w.agree + ROWS * w.tokens;
  return w;
}

static void pack_keys(const attention_args* args, const attention_workspace* w, const uint8_t* k, size_t row_bytes) {
  const size_t bytes = args->head_dim / 8;
  for (size_t j = 0; j < args->nkv; j++, k += row_bytes) {
    for (size_t b = 0; b < bytes; b++) w->keys[b * w->tokens + j] = k[b];
  }
  for (size_t b = 0; b < bytes; b++) memset(w->keys + b * w->tokens + args->nkv, 0, w->tokens - args->nkv);
}

static void pack_values(const attention_args* args, const attention_workspace* w, const uint8_t* v, size_t row_bytes) {
  for (size_t token = 0; token < w->tokens; token += 64) {
    const size_t rows = EB_MIN(64, args->nkv - token);
    for (size_t col = 0; col < args->head_dim; col += 64) {
      const size_t bytes = EB_MIN(64, args->head_dim - col) / 8;
      uint64_t block[64] = {0};
      for (size_t j = 0; j < rows; j++) memcpy(&block[j], v + (token + j) * row_bytes + col / 8, bytes);
      eb_transpose64(block);
      for (size_t c = 0; c < 64; c++) {
        for (size_t part = 0; part < 8 / VALUE_BYTES; part++) {
          const size_t step = token / 8 / VALUE_BYTES + part;
          memcpy(w->values + (step * COLUMNS + col + c) * VALUE_BYTES, (uint8_t*)&block[c] + part * VALUE_BYTES,
                 VALUE_BYTES);
        }
      }
    }
  }
}

/* `vectors` vectors of tokens for ROWS rows. q: broadcasts [byte][ROWS]. */
EB_INLINE void agree_tile(const uint8_t* keys, size_t tokens, size_t bytes, const vu8* q, vu8 head_dim, uint8_t* agree,
                          const int vectors) {
  vu8 differing[ROWS][VU8_TILE];
  EB_UNROLL for (int r = 0; r < ROWS; r++) {
    EB_UNROLL for (int v = 0; v < vectors; v++) differing[r][v] = vu8_set1(0);
  }
  for (size_t b = 0; b < bytes; b++) {
    vu8 k[VU8_TILE];
    EB_UNROLL for (int v = 0; v < vectors; v++) k[v] = vu8_load(keys + b * tokens + (size_t)v * VU8_LANES);
    EB_UNROLL for (int r = 0; r < ROWS; r++) {
      EB_UNROLL for (int v = 0; v < vectors; v++) {
        differing[r][v] = vu8_add_popcount(differing[r][v], vu8_xor(k[v], q[b * ROWS + (size_t)r]));
      }
    }
  }
  EB_UNROLL for (int r = 0; r < ROWS; r++) {
    EB_UNROLL for (int v = 0; v < vectors; v++) {
      vu8_store(agree + (size_t)r * tokens + (size_t)v * VU8_LANES, vu8_sub(head_dim, differing[r][v]));
    }
  }
}

static void agree_rows(const attention_args* args, const attention_workspace* w, const uint8_t* const q[ROWS]) {
  const size_t bytes = args->head_dim / 8;
  const vu8 head_dim = vu8_set1((uint8_t)args->head_dim);
  vu8 broadcast[MAX_HEAD_DIM / 8 * ROWS];
  for (size_t b = 0; b < bytes; b++) {
    for (size_t r = 0; r < ROWS; r++) broadcast[b * ROWS + r] = vu8_set1(q[r][b]);
  }
  size_t token = 0;
  for (; token + VU8_TILE * VU8_LANES <= EB_CEIL_DIV(args->nkv, VU8_LANES) * VU8_LANES; token += VU8_TILE * VU8_LANES) {
    agree_tile(w->keys + token, w->tokens, bytes, broadcast, head_dim, w->agree + token, VU8_TILE);
  }
  for (; token < args->nkv; token += VU8_LANES) {
    agree_tile(w->keys + token, w->tokens, bytes, broadcast, head_dim, w->agree + token, 1);
  }
}

static void attend_head(const attention_args* args, const attention_workspace* w, size_t head) {
  const size_t d = args->head_dim, width = args->heads * d, row_bytes = EB_BIT_ROW_BYTES(width), at = head * d / 8;
  const size_t maps = map_count(args), map_bytes = w->tokens / 8;
  const map_rule rule = map_rule_of(args, head);
  pack_keys(args, w, args->k + at, row_bytes);
  pack_values(args, w, args->v + at, row_bytes);
  for (size_t i = 0; i < args->nq; i += ROWS) {
    const size_t rows = EB_MIN(ROWS, args->nq - i);
    const uint8_t* q[ROWS];
    for (size_t r = 0; r < ROWS; r++) q[r] = args->q + (i + EB_MIN(r, rows - 1)) * row_bytes + at;
    agree_rows(args, w, q);

    int32_t context[ROWS][COLUMNS];
    for (size_t r = 0; r < ROWS; r++) {
      const int32_t ones = write_maps(&rule, i + EB_MIN(r, rows - 1), w->agree + r * w->tokens,
                                      w->maps + r * maps * map_bytes, map_bytes);
      for (size_t c = 0; c < COLUMNS; c++) context[r][c] = ones;
    }
    context_tile(w->values, w->maps, maps, map_bytes, EB_CEIL_DIV(args->nkv, 8 * VALUE_BYTES), d, context);
    for (size_t r = 0; r < rows; r++) {
      memcpy(args->context + (i + r) * width + head * d, context[r], d * sizeof(int32_t));
    }
  }
}

static void attend(const attention_args* args) {
  const attention_workspace w = split_workspace(args);
  for (size_t head = args->head_begin; head < args->head_end; head++) attend_head(args, &w, head);
}
