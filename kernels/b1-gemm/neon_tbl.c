/* eb_b1_gemm for cores that look up tables as fast as they count bits (Cortex-A76, A78AE), tiles of 2 rows x 64
 * channels (tbl_count.h).
 *
 * Constraints: those of edgebin.h; any k, m, n. Weights: panels of 64 channels, words of 5 bits, a byte each.
 *
 * Blocks of rows whose indices fit INDEX_GROUPS are outermost, then panels, then pairs of rows. Rows longer than that
 * go tile by tile.
 *
 * Modelled for Cortex-A76 (edgebin/profile/estimate/cycles.py, whole call, products per cycle): 196x384x384 to bits
 * 115, to floats 99, with residual 97; 196x1536x384 to bits 122; 3136x64x64 to bits 82, to floats 39 (stores). */
#define EB_PATH neon_tbl
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 16
#include "../epilogue/tile.h"

#include "tbl_tiles.h"

#define INDEX_GROUPS 4096 /* 8 KB; of a multiple of 64 bits; no more than 20480 counts: they fit in 16 bits */
#define LIMIT_ROWS 8      /* fewer rows do not pay for the search of limits */

/* [pair of rows][plane][stride] */
static void index_rows(const product* p, size_t row, size_t end, uint16_t* index) {
  const uint8_t* planes[2] = {p->args->a, p->args->a2};
  for (; row < end; row += TBL_ROWS) {
    for (size_t plane = 0; plane < p->planes; plane++, index += p->stride) {
      const uint8_t* a = planes[plane] + row * p->row_bytes;
      tbl_index_pair(a, row + 1 < end ? a + p->row_bytes : a, p->row_bytes, index);
    }
  }
}

/* Whether counts of one plane fit in bytes, not doubled. */
static int counts_are_bytes(const product* p) { return !p->doubled && p->args->k <= MOST_BYTES; }

/* Columns col .. end_col-1, a multiple of 16. Columns past the last one get limits that no count reaches. */
static void find_limits(const product* p, size_t col, size_t end_col, limits* l) {
  const size_t cols = end_col - col, padded = EB_CEIL_DIV(cols, TBL_COLS) * TBL_COLS;
  eb_find_limits(&p->args->epilogue, &p->to_float, (p->doubled ? 2 : 1) * p->args->k, col, cols, &l->of_counts);
  for (size_t j = cols; j < padded; j++) l->of_counts.limit[j] = UINT16_MAX;
  for (size_t j = cols / 8; j < padded / 8; j++) l->of_counts.flip[j] = 0;
  for (size_t j = 0; j < padded; j++) l->of_bytes[j] = (uint8_t)EB_MIN(l->of_counts.limit[j], UINT8_MAX);
}

/* Columns col .. end_col-1; l: NULL, or the limits of these columns. */
static void multiply(const product* p, const limits* l, size_t col, size_t end_col) {
  uint16_t index[INDEX_GROUPS];
  const size_t n = p->args->n, pair_stride = p->planes * p->stride, pairs = INDEX_GROUPS / pair_stride;
  const size_t block_rows = pairs > 1 ? pairs / 2 * 4 : TBL_ROWS;
  for (size_t row = 0; row < p->args->m; row += block_rows) {
    block b = {.row = row, .end = EB_MIN(row + block_rows, p->args->m), .index = index};
    const size_t end = b.end, whole_end = row + (end - row) / 4 * 4;
    index_rows(p, row, end, index);
    b.panel = (const uint8_t*)p->args->w + col * p->groups;
    for (b.col = col; b.col < end_col; b.col += TBL_COLS, b.panel += TBL_COLS * p->groups) {
      if (l && counts_are_bytes(p)) {
        bit_tiles_of_bytes(p, &b, l, b.col - col);
      } else if (l) {
        bit_tiles(p, &b, l, b.col - col);
      } else {
        size_t done = row;
        if (p->in_strips && b.col + TBL_COLS <= n) {
          b.end = done = whole_end;
          whole_tiles(p, &b);
        }
        for (; done < end; done += 4) {
          partial_tile(p, done, EB_MIN(end - done, 4), b.col, index + (done - row) / 2 * pair_stride, b.panel);
        }
      }
    }
  }
}

/* Two rows by TBL_COLS columns of a k that the index of one pair does not hold. */
static void long_tile(const eb_b1_gemm_args* args, size_t row, size_t rows, size_t col, const uint8_t* panel) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(args->k), part_bytes = INDEX_GROUPS * TBL_BITS / 8;
  const uint8_t* planes[2] = {args->a, args->a2 ? args->a2 : args->a};
  vf acc[TBL_ROWS][EB_TILE_VECTORS];
  for (int i = 0; i < TBL_ROWS * EB_TILE_VECTORS; i++) acc[i / 16][i % 16] = vf_set1((float)args->k);
  for (int plane = 0; plane < 2; plane++) {
    const uint8_t* w = panel;
    for (size_t at = 0; at < row_bytes; at += part_bytes, w += INDEX_GROUPS * TBL_COLS) {
      const size_t bytes = EB_MIN(part_bytes, row_bytes - at);
      const uint8_t* a = planes[plane] + row * row_bytes + at;
      uint16_t index[INDEX_GROUPS];
      tbl_index_pair(a, rows > 1 ? a + row_bytes : a, bytes, index);
      uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS];
      tbl_count(index, w, TBL_GROUPS(bytes), counts);
      for (int i = 0; i < TBL_ROWS * EB_TILE_VECTORS; i += 2) {
        acc[i / 16][i % 16] =
            vf_sub(acc[i / 16][i % 16], vcvtq_f32_u32(vmovl_u16(vget_low_u16(counts[i / 16][i / 2 % 8]))));
        acc[i / 16][i % 16 + 1] =
            vf_sub(acc[i / 16][i % 16 + 1], vcvtq_f32_u32(vmovl_high_u16(counts[i / 16][i / 2 % 8])));
      }
    }
  }
  eb_epilogue_tile(&args->epilogue, args->n, row, rows, col, acc[0]);
}

static void multiply_long(const eb_b1_gemm_args* args, size_t groups) {
  for (size_t row = 0; row < args->m; row += TBL_ROWS) {
    const uint8_t* panel = args->w;
    for (size_t col = 0; col < args->n; col += TBL_COLS, panel += groups * TBL_COLS) {
      long_tile(args, row, EB_MIN(args->m - row, TBL_ROWS), col, panel);
    }
  }
}

void EB_SYMBOL(eb_b1_gemm)(const eb_b1_gemm_args* args) {
  const eb_epilogue* e = &args->epilogue;
  product p = {.args = args, .row_bytes = EB_BIT_ROW_BYTES(args->k), .planes = args->a2 ? 2 : 1};
  p.groups = TBL_GROUPS(p.row_bytes);
  p.stride = EB_CEIL_DIV(p.groups, TBL_INDEX_STEP) * TBL_INDEX_STEP;
  p.stages = eb_stages_of(e);
  p.doubled = args->a2 || args->k % 2;
  p.in_strips = eb_residuals_are_strips(e);
  p.to_float = eb_count_scale_of(args->k, p.doubled);
  if (p.planes * p.stride > INDEX_GROUPS) {
    multiply_long(args, p.groups);
  } else if (args->m < LIMIT_ROWS || args->n % 16 || !eb_has_limits(e, args->n)) {
    multiply(&p, NULL, 0, args->n);
  } else {
    limits l;
    for (size_t col = 0; col < args->n; col += EB_LIMIT_COLS) {
      const size_t end_col = EB_MIN(col + EB_LIMIT_COLS, args->n);
      find_limits(&p, col, end_col, &l);
      multiply(&p, &l, col, end_col);
    }
  }
  eb_pad_bits(e, args->n, 0, args->m);
}
