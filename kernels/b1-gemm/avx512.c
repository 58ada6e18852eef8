/* eb_b1_gemm__avx512: VPOPCNTD on signs, epilogue from registers.
 *
 * Weights: panels of 64 channels, [k / 32][64] words of 32 bits; a lane counts its channel, nothing is summed across.
 * Tile: 4 rows x 64 channels; 16 sums, 4 vectors of weights, one broadcast of a (a load), one temporary of 32
 * registers. Sums become floats without a conversion (float_counts.h) and pass the epilogue as one whole strip, so they
 * never go through memory; only the last rows and columns take eb_epilogue_tile. Rows outermost: all panels pass four
 * rows by, so that what is stored lies close together (blocks of 16 rows are as fast in cache and half as fast out of
 * it), and the panels of a layer (k * n / 8 bytes) stream from the second-level cache at less than half of its rate.
 *
 * Cycle model (Zen 5, measured: four VPXORD or VPADDD a cycle, two VPOPCNTD, loads 2, stores 1): a step of k is 48
 * vector operations = 12 cycles for 8192 products, 683 products a cycle; the epilogue adds 2 operations per vector and
 * scale, bias and store. Popcounts of carry-saved sums (VPTERNLOGD) would be 2.5 operations per 512 products instead of
 * 3, but double the sums and pay 3 more at the end of each: 4% less at k = 384, more at k = 64.
 * Measured with zig, one thread, products a cycle: 196x1536x384 643, 196x384x384 595 (fp32 out), 3136x64x256 320 (fp32)
 * and 355 (bits). */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 4
#include "count_avx512.h"
#include "fetch_result.h"
#include "float_counts.h"

EB_INLINE void multiply(const eb_b1_gemm_args* args, const float_counts* f, size_t row, const uint8_t* panel,
                        const int rows, vf acc[][EB_TILE_VECTORS]) {
  const size_t a_row_bytes = EB_BIT_ROW_BYTES(args->k), at = row * a_row_bytes;
  __m512i sum[EB_TILE_ROWS][EB_TILE_VECTORS];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) sum[r][v] = _mm512_set1_epi32(f->zero);
  }
  count_add(args->a + at, a_row_bytes, panel, args->k, rows, sum);
  if (args->a2) count_add(args->a2 + at, a_row_bytes, panel, args->k, rows, sum);
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) acc[r][v] = _mm512_castsi512_ps(sum[r][v]);
  }
  float_counts_finish(f, acc[0], rows * EB_TILE_VECTORS);
}

/* A whole strip of the epilogue, from the registers of the sums. */
EB_INLINE void whole_tile(const eb_b1_gemm_args* args, const float_counts* f, size_t row, size_t col,
                          const uint8_t* panel) {
  vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
  multiply(args, f, row, panel, EB_TILE_ROWS, acc);
  eb_epilogue_strip(&args->epilogue, args->n, row, EB_TILE_ROWS, col, EB_TILE_COLS, acc);
}

EB_INLINE void part_tile(const eb_b1_gemm_args* args, const float_counts* f, size_t row, const int rows, size_t col,
                         const uint8_t* panel) {
  vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
  multiply(args, f, row, panel, rows, acc);
  eb_epilogue_tile(&args->epilogue, args->n, row, (size_t)rows, col, acc[0]);
}

void eb_b1_gemm__avx512(const eb_b1_gemm_args* args) {
  const float_counts f = float_counts_of(args);
  const int fetched = result_is_fetched(args);
  const size_t m = args->m, n = args->n, panel_bytes = EB_BIT_ROW_BYTES(args->k) * EB_TILE_COLS;
  const size_t whole_cols = eb_residuals_are_strips(&args->epilogue) ? n - n % EB_TILE_COLS : 0;
  for (size_t row = 0; row < m; row += EB_TILE_ROWS) {
    const size_t rows = EB_MIN(EB_TILE_ROWS, m - row);
    size_t col = 0;
    const uint8_t* panel = args->w;
    if (rows == EB_TILE_ROWS) {
      for (; col < whole_cols; col += EB_TILE_COLS, panel += panel_bytes) {
        if (fetched) fetch_result(args, row, EB_TILE_ROWS, col);
        whole_tile(args, &f, row, col, panel);
      }
    }
    for (; col < n; col += EB_TILE_COLS, panel += panel_bytes) {
      switch (rows) {
        case 4:
          part_tile(args, &f, row, 4, col, panel);
          break;
        case 3:
          part_tile(args, &f, row, 3, col, panel);
          break;
        case 2:
          part_tile(args, &f, row, 2, col, panel);
          break;
        case 1:
          part_tile(args, &f, row, 1, col, panel);
          break;
      }
    }
  }
}
