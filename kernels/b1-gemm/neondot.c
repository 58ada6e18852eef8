/* eb_b1_gemm for cores with UDOT (Cortex-A76, A78AE), tiles of 4 rows x 16 channels.
 *
 * Constraints: those of edgebin.h; any k, m, n. Weights: panels of 16 channels, words of 32 bits.
 *
 * Blocks of rows whose expanded form fits EXPANDED_BYTES are outermost, then panels, then tiles; longer rows go tile by
 * tile.
 *
 * Modelled for Cortex-A76 (edgebin/profile/estimate/cycles.py, whole call, products per cycle): 196x384x384 to bits 78,
 * to floats 71, with residual 71; 196x1536x384 to bits 82; 3136x64x64 to bits 59, to floats 38 (stores). */
#include <arm_neon.h>
#include <string.h>

#include "../internal/dotprod.h"
#include "edgebin.h"

EB_DOTPROD_BEGIN

#define EB_PATH neondot
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"
#include "neondot_epilogue.h"

#define EXPANDED_BYTES 16384 /* a quarter of a first-level cache */
#define LIMIT_ROWS 8         /* fewer rows do not pay for the search of limits */

/* Columns col .. end_col-1; l: NULL, or the limits of these columns. */
static void multiply(const product* p, const eb_count_limits* l, size_t col, size_t end_col) {
  const eb_b1_gemm_args* args = p->args;
  const uint8_t* planes[2] = {args->a, args->a2};
  const size_t plane_bytes = p->group_bytes / p->planes, first_col = col;
  const size_t block_rows = EXPANDED_BYTES / p->group_bytes * 4;
  _Alignas(64) uint8_t expanded[EXPANDED_BYTES];
  for (size_t row = 0; row < args->m; row += block_rows) {
    const size_t end = EB_MIN(row + block_rows, args->m);
    uint8_t* to = expanded;
    for (size_t r = row; r < end; r += 4) {
      for (size_t plane = 0; plane < p->planes; plane++, to += plane_bytes) {
        expand_rows(planes[plane] + r * p->row_bytes, p->row_bytes, end - r, p->row_bytes, to);
      }
    }
    const uint8_t* panel = (const uint8_t*)args->w + first_col / EB_TILE_COLS * p->panel_bytes;
    for (col = first_col; col < end_col; col += EB_TILE_COLS, panel += p->panel_bytes) {
      if (l) {
        bit_tiles(p, l, row, end, col, col - first_col, expanded, panel);
        continue;
      }
      const uint8_t* group = expanded;
      size_t done = row;
      if (p->in_strips && col + EB_TILE_COLS <= args->n) {
        done = row + (end - row) / 4 * 4;
        const block b = {row, done, col, expanded, panel};
        whole_tiles(p, &b);
        group += (done - row) / 4 * p->group_bytes;
      }
      for (; done < end; done += 4, group += p->group_bytes) {
        partial_tile(p, done, EB_MIN(end - done, 4), col, group, panel);
      }
    }
    eb_pad_bits(&args->epilogue, args->n, row, end - row);
  }
}

/* Rows that are too long to be expanded at once, tile by tile. */
static void multiply_long(const product* p) {
  const eb_b1_gemm_args* args = p->args;
  const uint8_t* planes[2] = {args->a, args->a2};
  const size_t part_bytes = EXPANDED_BYTES / 16; /* of a row: 16 times as many when four are expanded */
  _Alignas(64) uint8_t expanded[EXPANDED_BYTES];
  for (size_t row = 0; row < args->m; row += 4) {
    const uint8_t* panel = args->w;
    const size_t rows = EB_MIN(args->m - row, 4);
    for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += p->panel_bytes) {
      uint32x4_t sum[4][4];
      uint32_t stored[4 * EB_TILE_COLS];
      for (int i = 0; i < 4 * EB_TILE_COLS; i++) stored[i] = p->to_float.magic;
      for (size_t plane = 0; plane < p->planes; plane++) {
        for (size_t at = 0; at < p->row_bytes; at += part_bytes) {
          const size_t bytes = EB_MIN(part_bytes, p->row_bytes - at);
          expand_rows(planes[plane] + row * p->row_bytes + at, p->row_bytes, rows, bytes, expanded);
          count_tile(expanded, panel + EB_TILE_COLS * at, bytes / 4, stored, sizeof(stored) / 4, sum);
          store_sums(stored, sum);
        }
      }
      vf acc[4][4];
      sum_to_float(&p->to_float, sum, acc);
      eb_epilogue_tile(&args->epilogue, args->n, row, rows, col, acc[0]);
    }
  }
}

static void multiply_to_bits(const product* p) {
  const eb_b1_gemm_args* args = p->args;
  const int doubled = args->a2 || args->k % 2;
  const eb_count_scale to_float = eb_count_scale_of(args->k, doubled);
  eb_count_limits l;
  for (size_t col = 0; col < args->n; col += EB_LIMIT_COLS) {
    const size_t end_col = EB_MIN(col + EB_LIMIT_COLS, args->n);
    eb_find_limits(&args->epilogue, &to_float, (doubled ? 2 : 1) * args->k, col, end_col - col, &l);
    multiply(p, &l, col, end_col);
  }
}

void EB_SYMBOL(eb_b1_gemm)(const eb_b1_gemm_args* args) {
  const eb_epilogue* e = &args->epilogue;
  product p = {.args = args, .row_bytes = EB_BIT_ROW_BYTES(args->k), .planes = args->a2 ? 2 : 1};
  p.panel_bytes = p.row_bytes * EB_TILE_COLS;
  p.steps = p.row_bytes / 4;
  p.group_bytes = p.planes * p.steps * STEP_BYTES;
  p.stages = eb_stages_of(e);
  p.in_strips = eb_residuals_are_strips(e);
  p.to_float = float_of_sum_for(args->k, p.planes);
  for (int j = 0; j < EB_TILE_COLS; j++) p.start[j] = p.to_float.magic;
  if (p.group_bytes > EXPANDED_BYTES) {
    multiply_long(&p);
  } else if (args->m >= LIMIT_ROWS && args->n % EB_TILE_COLS == 0 && eb_has_limits(e, args->n)) {
    multiply_to_bits(&p);
  } else {
    multiply(&p, NULL, 0, args->n);
  }
}

EB_DOTPROD_END
