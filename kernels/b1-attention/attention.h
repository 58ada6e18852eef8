/* Binary attention for vector machines, four query rows at a time.
 *
 * Per head, once: keys go to planes [64 tokens][byte of head_dim][token], so that a vector holds the same eight columns
 * of many tokens and popcounts add up to bytes without a horizontal step; values go to planes [step][column], a byte of
 * which holds eight tokens. Which eight is free as long as maps and values agree: step j has the tokens j, steps + j,
 * 2 * steps + j ..., for then a map is made by comparisons and selections of whole vectors, and as few steps as
 * possible are enough. Per four rows: agree as bytes -> maps as bits, by the kernel's own rule -> context by popcount:
 * sum of +-1 over a map = popcount(map) - 2 * popcount(map & negative).
 *
 * The variant that includes this has included a simd/u8_*.h and planes_bytes.h or planes_nibbles.h:
 *   PLANES                                          planes of a byte: 1, or 2 with a nibble each
 *   agree_rows(planes, tokens, bytes, q, agree, stride)   q: ROWS pointers to bytes of head_dim
 *   context_rows(planes, columns, steps, maps, count, map_stride, head_dim, context)   subtracts from what is there
 * and a *_map.h includes this after it has defined
 *   attention_args                                  the kernel's arguments
 *   map_count(args)                                 maps of a row
 *   map_rule, map_rule_bytes(args), map_rule_of(args, memory)   what maps depend on, and the memory it takes
 *   write_maps(&rule, head, row, agree, stride, layout, maps, ones)   the maps of ROWS rows, and their popcounts
 *
 * pack_keys and agree_rows are all that scores cost, pack_values and context_rows what the product with values costs.
 */
#include <string.h>

#include "edgebin.h"
#include "transpose.h"

#define ROUND_64(x) (EB_CEIL_DIV(x, 64) * 64)

typedef struct {
  size_t stride, columns; /* bytes of a row of agree; head_dim, rounded up to 64 */
  map_layout map;
  uint8_t* keys;   /* [stride / 64 - 1][head_dim / 8][PLANES][64], inverted */
  uint8_t* values; /* [steps][PLANES][columns], bit 1: negative */
  uint8_t* agree;  /* [ROWS][stride] */
  uint8_t* maps;   /* [ROWS][map_count][map.stride] */
  void* rule;
  size_t bytes; /* of all of these */
} attention_workspace;

static attention_workspace split_workspace(const attention_args* args) {
  attention_workspace w = {.stride = ROUND_64(args->nkv) + 64, .columns = ROUND_64(args->head_dim)};
  w.map.nkv = args->nkv;
  w.map.steps = EB_CEIL_DIV(args->nkv, 8);
  w.map.stride = ROUND_64(w.map.steps);
  uint8_t* at = args->workspace;
#define TAKE(part, size) \
  part = at;             \
  if (at) at += size;    \
  w.bytes += size
  TAKE(w.keys, (w.stride - 64) / 8 * args->head_dim * PLANES);
  TAKE(w.values, w.map.steps * w.columns * PLANES);
  TAKE(w.agree, ROWS * w.stride);
  TAKE(w.maps, ROWS * map_count(args) * w.map.stride);
  TAKE(w.map.valid, w.map.stride);
  TAKE(w.rule, ROUND_64(map_rule_bytes(args)));
#undef TAKE
  return w;
}

static size_t workspace_bytes(const attention_args* args) {
  attention_args sizes = *args;
  sizes.workspace = NULL;
  return split_workspace(&sizes).bytes;
}

EB_INLINE void load_rows_of(uint64_t* row, const uint8_t* const* from, const size_t bytes) {
  EB_UNROLL for (int r = 0; r < 8; r++) {
    row[r] = 0;
    memcpy(&row[r], from[r], bytes);
  }
}

/* `bytes` bytes, eight at most, of eight rows; zeros behind them. The constants make a move of each copy. */
EB_INLINE void load_rows(uint64_t* row, const uint8_t* const* from, size_t bytes) {
  if (bytes >= 8) {
    load_rows_of(row, from, 8);
  } else if (bytes == 4) {
    load_rows_of(row, from, 4);
  } else {
    load_rows_of(row, from, bytes);
  }
}

EB_INLINE void store_planes(uint8_t* to, size_t stride, const eb_bytes16* x, int at, size_t bytes) {
  if (PLANES == 1) {
    memcpy(to, (const uint8_t*)x + at, bytes);
  } else {
    const eb_bytes16 low = x[at / 16] & 15, high = x[at / 16] >> 4;
    memcpy(to, (const uint8_t*)&low + at % 16, bytes);
    memcpy(to + stride, (const uint8_t*)&high + at % 16, bytes);
  }
}

EB_NOINLINE void pack_keys(const attention_args* args, const attention_workspace* w, const uint8_t* k,
                           size_t row_bytes) {
  const size_t d = args->head_dim;
  for (size_t token = 0; token < args->nkv; token += 8) {
    uint8_t* tile = w->keys + (token / 64 * 64 * (d / 8)) * PLANES + token % 64;
    for (size_t col = 0; col < d; col += 64) {
      const uint8_t* from[8];
      for (size_t r = 0; r < 8; r++) from[r] = k + EB_MIN(token + r, args->nkv - 1) * row_bytes + col / 8;
      uint64_t row[8];
      load_rows(row, from, (d - col) / 8);
      EB_UNROLL for (int r = 0; r < 8; r++) row[r] = ~row[r];
      eb_bytes16 x[4];
      eb_transpose_bytes(row, x);
      EB_UNROLL for (int b = 0; b < 8; b++) {
        if (d - col >= 64 || (size_t)b < (d - col) / 8) {
          store_planes(tile + (col / 8 + (size_t)b) * PLANES * 64, 64, x, 8 * b, 8);
        }
      }
    }
  }
}

EB_NOINLINE void pack_values(const attention_args* args, const attention_workspace* w, const uint8_t* v,
                             size_t row_bytes) {
  const size_t d = args->head_dim, steps = w->map.steps;
  uint8_t* to = w->values;
  for (size_t step = 0; step < steps; step++, to += w->columns * PLANES) {
    for (size_t col = 0; col < d; col += 64) {
      static const uint64_t kNone = 0;
      const uint8_t* from[8];
      for (size_t r = 0, token = step; r < 8; r++, token += steps) {
        from[r] = token < args->nkv ? v + token * row_bytes + col / 8 : (const uint8_t*)&kNone;
      }
      uint64_t row[8];
      load_rows(row, from, (d - col) / 8);
      eb_bytes16 x[4];
      eb_transpose_bytes(row, x);
      EB_UNROLL for (int i = 0; i < 4; i++) {
        x[i] = eb_transpose_bits(x[i]);
        store_planes(to + col + 16 * (size_t)i, w->columns, x, 16 * i, 16);
      }
    }
  }
}

static void mark_valid(const map_layout* map) {
  memset(map->valid, 0, map->stride);
  for (size_t bit = 0; bit < 8; bit++) {
    for (size_t step = 0; step < map->steps && bit * map->steps + step < map->nkv; step++) {
      map->valid[step] |= (uint8_t)(1u << bit);
    }
  }
}

static void attend_head(const attention_args* args, const attention_workspace* w, map_rule* rule, size_t head) {
  const size_t d = args->head_dim, width = args->heads * d, row_bytes = EB_BIT_ROW_BYTES(width), at = head * d / 8;
  const size_t maps = map_count(args);
  int32_t spare[MAX_HEAD_DIM];
  pack_keys(args, w, args->k + at, row_bytes);
  pack_values(args, w, args->v + at, row_bytes);
  for (size_t i = 0; i < args->nq; i += ROWS) {
    const uint8_t* q[ROWS];
    int32_t* context[ROWS];
    size_t row[ROWS];
    int32_t ones[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
      row[r] = EB_MIN(i + r, args->nq - 1);
      q[r] = args->q + row[r] * row_bytes + at;
      context[r] = i + r < args->nq ? args->context + row[r] * width + head * d : spare;
    }
    agree_rows(w->keys, args->nkv, d / 8, q, w->agree, w->stride);
    write_maps(rule, head, row, w->agree, w->stride, &w->map, w->maps, ones);
    context_rows(w->values, w->columns, w->map.steps, w->maps, maps, w->map.stride, d, ones, context);
  }
}

static void attend(const attention_args* args) {
  const attention_workspace w = split_workspace(args);
  map_rule rule = map_rule_of(args, w.rule);
  mark_valid(&w.map);
  for (size_t head = args->head_begin; head < args->head_end; head++) attend_head(args, &w, &rule, head);
}
