/* Signs times bytes by SDOT: bit b of a vector of 4 channels x 32 bits of k is a mask of 0 and -1 by one CMTST, whose
 * dot products with a are minus what the negative weights add up to.
 *
 *   acc = total + 2 * sum of a . mask
 *
 * Tile: 8 rows x 8 channels, 16 sums; per 32 of k 128 SDOT, 16 CMTST, 18 loads. A panel of 16 channels is two tiles and
 * one epilogue. Bit b of the four bytes of a channel's word stands for k = b, 8 + b, 16 + b, 24 + b, so a is put into
 * that order once for all panels: the workspace is [step of 32 of k][row][bit][4] bytes; what lies beyond k is 0.
 */
#define TILE_ROWS 8
#define TAIL_ROWS 4
#define STEP_K 32
#define STEP_BYTES (TILE_ROWS * STEP_K)
#define HALF_VECTORS (EB_TILE_VECTORS / 2)

EB_INLINE void sum_half(const int8_t* a, const uint8_t* panel, size_t steps, const int rows,
                        int32x4_t sum[][HALF_VECTORS]) {
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < HALF_VECTORS; v++) sum[r][v] = vdupq_n_s32(0);
  }
  for (size_t step = 0; step < steps; step++, a += STEP_BYTES, panel += 16 * EB_TILE_VECTORS) {
    uint8x16_t w[HALF_VECTORS];
    EB_UNROLL for (int v = 0; v < HALF_VECTORS; v++) w[v] = vld1q_u8(panel + 16 * v);
    EB_UNROLL for (int half = 0; half < 2; half++) {
      int8x16_t x[TILE_ROWS];
      EB_UNROLL for (int r = 0; r < rows; r++) x[r] = vld1q_s8(a + r * STEP_K + 16 * half);
#define DOT(lane)                                                                                      \
  EB_UNROLL for (int v = 0; v < HALF_VECTORS; v++) {                                                   \
    const uint8x16_t bit = vdupq_n_u8((uint8_t)(1u << (4 * half + lane)));                             \
    const int8x16_t mask = vreinterpretq_s8_u8(vtstq_u8(w[v], bit));                                   \
    EB_UNROLL for (int r = 0; r < rows; r++) sum[r][v] = vdotq_laneq_s32(sum[r][v], mask, x[r], lane); \
  }
      DOT(0)
      DOT(1)
      DOT(2)
      DOT(3)
#undef DOT
    }
  }
}

EB_INLINE void gemm_tile(const eb_w1i8_gemm_args* args, const int8_t* a, const int32_t* total, size_t row,
                         const int rows, size_t col, const uint8_t* panel) {
  const size_t steps = EB_CEIL_DIV(args->k, STEP_K);
  vf acc[TILE_ROWS][EB_TILE_VECTORS];
  for (int half = 0; half < 2; half++) {
    int32x4_t sum[TILE_ROWS][HALF_VECTORS];
    sum_half(a, panel + 16 * HALF_VECTORS * half, steps, rows, sum);
    EB_UNROLL for (int r = 0; r < rows; r++) {
      const vf scale = vf_set1(args->row_scale ? args->row_scale[row + (size_t)r] : 1.0f);
      EB_UNROLL for (int v = 0; v < HALF_VECTORS; v++) {
        const int32x4_t product = vaddq_s32(vdupq_n_s32(total[r]), vshlq_n_s32(sum[r][v], 1));
        acc[r][HALF_VECTORS * half + v] = vf_mul(vcvtq_f32_s32(product), scale);
      }
    }
  }
  eb_epilogue_tile(&args->epilogue, args->n, row, (size_t)rows, col, acc[0]);
}

EB_INLINE void reorder(const int8_t* from, int8_t* to) {
  static const uint8_t kOrder[32] = {0, 8,  16, 24, 1, 9,  17, 25, 2, 10, 18, 26, 3, 11, 19, 27,
                                     4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31};
  const int8x16x2_t x = {{vld1q_s8(from), vld1q_s8(from + 16)}};
  vst1q_s8(to, vqtbl2q_s8(x, vld1q_u8(kOrder)));
  vst1q_s8(to + 16, vqtbl2q_s8(x, vld1q_u8(kOrder + 16)));
}

/* Puts one row into place; returns its total. */
static int32_t place_row(const int8_t* a, size_t k, int8_t* to) {
  int32_t total = 0;
  for (size_t p = 0; p < k; p++) total += a[p];
  size_t p = 0;
  for (; p + STEP_K <= k; p += STEP_K, to += STEP_BYTES) reorder(a + p, to);
  if (p < k) {
    int8_t rest[STEP_K] = {0};
    memcpy(rest, a + p, k - p);
    reorder(rest, to);
  }
  return total;
}

size_t EB_SYMBOL(eb_w1i8_gemm_workspace)(const eb_w1i8_gemm_args* args) {
  return EB_CEIL_DIV(args->k, STEP_K) * STEP_BYTES;
}

void EB_SYMBOL(eb_w1i8_gemm)(const eb_w1i8_gemm_args* args) {
  const size_t panel_bytes = EB_BIT_ROW_BYTES(args->k) * EB_TILE_COLS;
  int8_t* a = args->workspace;
  int32_t total[TILE_ROWS];
  for (size_t row = 0; row < args->m; row += TILE_ROWS) {
    const size_t rows = EB_MIN(args->m - row, TILE_ROWS);
    for (size_t r = 0; r < rows; r++) total[r] = place_row(args->a + (row + r) * args->k, args->k, a + r * STEP_K);
    const uint8_t* panel = args->w;
    for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += panel_bytes) {
      if (rows == TILE_ROWS) {
        gemm_tile(args, a, total, row, TILE_ROWS, col, panel);
        continue;
      }
      size_t r = 0;
      if (rows >= TAIL_ROWS) gemm_tile(args, a, total, row, TAIL_ROWS, col, panel), r = TAIL_ROWS;
      for (; r < rows; r++) gemm_tile(args, a + r * STEP_K, total + r, row + r, 1, col, panel);
    }
  }
}
