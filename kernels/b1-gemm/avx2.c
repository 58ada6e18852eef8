/* eb_b1_gemm__avx2: VPSHUFB on nibbles of signs, two rows at a time.
 *
 * Weights: panels of 64 channels, [k / 4][64] bytes that hold a nibble each: twice the size of packed bits, so
 * that nothing is masked or shifted in the loop. Tile: 4 rows x 64 channels, as two pairs of rows one after the other;
 * lookup_avx2.h counts a pair: 2 x 2 sums, at most 4 pending means, a table, the mask and 4 temporaries of 16
 * registers, weights are operands in memory. The tables of 4 rows serve all panels; beyond 3072 bits of k they are made
 * again for each. Counts wait in memory as 16-bit sums and go through the epilogue in strips of 2 rows x 32 channels,
 * as floats that need no conversion (float_counts.h).
 *
 * Cycle model (Zen 5, measured: VPADDB, VPAND, VPAVGB 4 a cycle, VPSHUFB and shifts 2, loads 2; this mix of them
 * reaches 3.5): 48 nibbles are 254 operations and 144 loads for 24576 products, 73 cycles, 337 products a cycle; 16-bit
 * sums cost 10 cycles more, so 296 before tables and epilogue. Measured with zig, one thread, products a cycle, fp32
 * out: 196x1536x384 238, 49x512x2048 230, 196x384x1536 225, 196x384x384 214 (265 without its epilogue, 230 without
 * making tables), 3136x64x256 100. Weights that are aligned to 64 bytes are 1.2 times as fast as others. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"
#include "fetch_result.h"
#include "float_counts.h"
#include "lookup_avx2.h"

#define EB_TILE_ROWS 4
#define PAIRS 2
#define BLOCK_BYTES (PAIRS * BLOCK_WORDS * NIBBLES * TABLE_BYTES)
#define MAX_BLOCKS 16 /* whose tables are kept: 24 KB */
#define FEW_PANELS 2
#define WIDE_BLOCKS 341 /* before a 16-bit sum overflows */

/* Four rows of a, for all panels. */
typedef struct {
  const eb_b1_gemm_args* args;
  float_counts counts;
  int planes, whole_strips;
  unsigned stages;
  size_t words, blocks; /* of a row of one plane */
  size_t row, rows;
  int kept; /* whether `tables` holds all blocks, or one at a time */
  uint8_t* tables;
} row_block;

EB_INLINE size_t words_of(const row_block* b, size_t block) {
  return EB_MIN(BLOCK_WORDS, b->words - BLOCK_WORDS * block);
}

EB_INLINE uint8_t* tables_of(const row_block* b, size_t block, size_t pair, const int step) {
  return b->tables + (block * PAIRS + pair) * BLOCK_WORDS * NIBBLES * (size_t)step;
}

/* Blocks of both planes are numbered through. */
EB_NOINLINE void build_block(const row_block* b, size_t block, int step, size_t to) {
  const size_t a_row_bytes = 8 * b->words, in_plane = block % b->blocks;
  const uint8_t* a = block < b->blocks ? b->args->a : b->args->a2;
  a += b->row * a_row_bytes + 8 * BLOCK_WORDS * in_plane;
  for (size_t r = 0; r < b->rows; r += 2, a += 2 * a_row_bytes) {
    const uint8_t* second = r + 1 < b->rows ? a + a_row_bytes : NULL;
    uint8_t* tables = tables_of(b, to, r / 2, step);
    if (step == INDEX_BYTES) {
      build_tables(a, second, words_of(b, in_plane), INDEX_BYTES, tables);
    } else {
      build_tables(a, second, words_of(b, in_plane), TABLE_BYTES, tables);
    }
  }
}

static void add_to_totals(const row_block* b, wide_sums* sums, vf totals[][EB_TILE_VECTORS]) {
  for (size_t r = 0; r < b->rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) {
      totals[r][v] = vf_add(totals[r][v], _mm256_cvtepi32_ps(counts_of(sums[r], v)));
    }
  }
}

/* Of `rows` rows from `row` on, strip after strip. */
EB_INLINE void finish_rows(const row_block* b, const unsigned stages, const int rows, size_t row, size_t col,
                           wide_sums* sums) {
  const __m256i zero = _mm256_set1_epi32(b->counts.zero);
  EB_UNROLL for (int strip = 0; strip < EB_TILE_VECTORS; strip += EB_STRIP_VECTORS, col += EB_STRIP_COLS) {
    vf v[VF_STRIP_ROWS][EB_STRIP_VECTORS];
    EB_UNROLL for (int r = 0; r < rows; r++) {
      EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) {
        v[r][i] = _mm256_castsi256_ps(_mm256_or_si256(counts_of(sums[r], strip + i), zero));
      }
    }
    float_counts_finish(&b->counts, v[0], rows * EB_STRIP_VECTORS);
    eb_epilogue_strip_of(stages, &b->args->epilogue, b->args->n, b->row + row, rows, col, EB_STRIP_COLS, v);
  }
}

EB_INLINE void finish_tile_of(const row_block* b, const unsigned stages, size_t col, wide_sums* sums) {
  size_t row = 0;
  for (; row + VF_STRIP_ROWS <= b->rows; row += VF_STRIP_ROWS) {
    finish_rows(b, stages, VF_STRIP_ROWS, row, col, sums + row);
  }
  for (; row < b->rows; row++) finish_rows(b, stages, 1, row, col, sums + row);
}

EB_NOINLINE void finish_whole_tile(const row_block* b, size_t col, wide_sums* sums) {
#define FINISH(stages)                    \
  case stages:                            \
    finish_tile_of(b, stages, col, sums); \
    break;
  switch (b->stages) {
    EB_COMMON_STAGES(FINISH)
    default:
      finish_tile_of(b, EB_ANY_STAGES, col, sums);
  }
#undef FINISH
}

/* Columns beyond n, residuals that wrap inside a strip, counts beyond 16 bits. */
EB_NOINLINE void finish_part_tile(const row_block* b, size_t col, vf counts[][EB_TILE_VECTORS]) {
  const vf factor = vf_set1(b->planes == 2 ? -1.0f : -2.0f), k = vf_set1((float)b->args->k);
  for (size_t r = 0; r < b->rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) counts[r][v] = vf_fma(counts[r][v], factor, k);
  }
  eb_epilogue_tile(&b->args->epilogue, b->args->n, b->row, b->rows, col, counts[0]);
}

EB_INLINE void gemm_tile(const row_block* b, size_t col, const uint8_t* panel, const int step) {
  wide_sums sums[EB_TILE_ROWS];
  vf totals[EB_TILE_ROWS][EB_TILE_VECTORS];
  const size_t blocks = (size_t)b->planes * b->blocks;
  const int whole = b->whole_strips && col + EB_TILE_COLS <= b->args->n && blocks <= WIDE_BLOCKS;
  if (!whole) memset(totals, 0, sizeof(totals));
  if (whole && result_is_fetched(b->args)) fetch_result(b->args, b->row, b->rows, col);
  size_t counted = 0;
  for (size_t block = 0; block < blocks; block++, counted++) {
    const size_t in_plane = block < b->blocks ? block : block - b->blocks;
    const uint8_t* w = panel + EB_TILE_COLS * NIBBLES * BLOCK_WORDS * in_plane;
    if (!b->kept) build_block(b, block, step, 0);
    if (counted == WIDE_BLOCKS) {
      add_to_totals(b, sums, totals);
      counted = 0;
    }
    for (size_t r = 0; r < b->rows; r += 2) {
      const uint8_t* tables = tables_of(b, b->kept ? block : 0, r / 2, step);
      if (counted) {
        count_block(tables, w, words_of(b, in_plane), step, 0, sums + r);
      } else {
        count_block(tables, w, words_of(b, in_plane), step, 1, sums + r);
      }
    }
  }
  if (whole) {
    finish_whole_tile(b, col, sums);
  } else {
    add_to_totals(b, sums, totals);
    finish_part_tile(b, col, totals);
  }
}

EB_INLINE void gemm_rows(row_block* b, const int step) {
  for (b->row = 0; b->row < b->args->m; b->row += EB_TILE_ROWS) {
    b->rows = EB_MIN(EB_TILE_ROWS, b->args->m - b->row);
    for (size_t block = 0; b->kept && block < (size_t)b->planes * b->blocks; block++)
      build_block(b, block, step, block);
    const uint8_t* panel = b->args->w;
    for (size_t col = 0; col < b->args->n; col += EB_TILE_COLS, panel += EB_TILE_COLS * NIBBLES * b->words) {
      gemm_tile(b, col, panel, step);
    }
  }
}

void eb_b1_gemm__avx2(const eb_b1_gemm_args* args) {
  uint8_t tables[MAX_BLOCKS * BLOCK_BYTES] __attribute__((aligned(64)));
  row_block b = {.args = args, .counts = float_counts_of(args), .planes = args->a2 ? 2 : 1, .tables = tables};
  b.whole_strips = eb_residuals_are_strips(&args->epilogue);
  b.stages = eb_stages_of(&args->epilogue);
  b.words = EB_CEIL_DIV(args->k, 64);
  b.blocks = EB_CEIL_DIV(b.words, BLOCK_WORDS);
  b.kept = (size_t)b.planes * b.blocks <= MAX_BLOCKS;
  if (args->n <= FEW_PANELS * EB_TILE_COLS) {
    gemm_rows(&b, INDEX_BYTES);
  } else {
    gemm_rows(&b, TABLE_BYTES);
  }
}
