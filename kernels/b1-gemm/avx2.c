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
 * sums cost 10 cycles more, so 296 before tables and epilogue. Measured with zig, one thread, products a cycle:
 * 196x1536x384 244, 49x512x2048 233, 196x384x1536 226, 196x384x384 214, 3136x64x256 93 (fp32 out). */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"
#include "float_counts.h"
#include "lookup_avx2.h"

#define EB_TILE_ROWS 4
#define PAIRS 2
#define MAX_BLOCKS 16   /* whose tables are kept: 24 KB */
#define WIDE_BLOCKS 341 /* before a 16-bit sum overflows */

/* Four rows of a, for all panels. */
typedef struct {
  const eb_b1_gemm_args* args;
  float_counts counts;
  int planes, whole_strips;
  size_t words, blocks; /* of a row of one plane */
  size_t row, rows;
  int kept; /* whether `tables` holds all blocks, or one at a time */
  word_tables (*tables)[PAIRS][BLOCK_WORDS];
} row_block;

EB_INLINE size_t words_of(const row_block* b, size_t block) {
  return EB_MIN(BLOCK_WORDS, b->words - BLOCK_WORDS * block);
}

static void build_block(const row_block* b, int plane, size_t block, word_tables (*tables)[BLOCK_WORDS]) {
  const size_t a_row_bytes = 8 * b->words;
  const uint8_t* a = (plane ? b->args->a2 : b->args->a) + b->row * a_row_bytes + 8 * BLOCK_WORDS * block;
  for (size_t r = 0; r < b->rows; r += 2, a += 2 * a_row_bytes) {
    build_tables(a, r + 1 < b->rows ? a + a_row_bytes : NULL, words_of(b, block), tables[r / 2]);
  }
}

static void add_to_totals(const row_block* b, wide_sums* sums, vf totals[][EB_TILE_VECTORS]) {
  for (size_t r = 0; r < b->rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) {
      totals[r][v] = vf_add(totals[r][v], _mm256_cvtepi32_ps(counts_of(sums[r], v)));
    }
  }
}

/* Of `rows` rows and one strip of columns, from a row and a vector on. */
EB_INLINE void finish_strip(const row_block* b, size_t col, const int rows, size_t row, int vector, wide_sums* sums) {
  vf v[VF_STRIP_ROWS][EB_STRIP_VECTORS];
  const __m256i zero = _mm256_set1_epi32(b->counts.zero), *strip = sums[row] + vector / 2;
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) {
      v[r][i] = _mm256_castsi256_ps(_mm256_or_si256(counts_of(strip + 4 * r, i), zero));
    }
  }
  float_counts_finish(&b->counts, v[0], rows * EB_STRIP_VECTORS);
  eb_epilogue_strip(&b->args->epilogue, b->args->n, b->row + row, rows, col + (size_t)vector * VF_LANES, EB_STRIP_COLS,
                    v);
}

EB_NOINLINE void finish_whole_tile(const row_block* b, size_t col, wide_sums* sums) {
  size_t r = 0;
  for (; r + VF_STRIP_ROWS <= b->rows; r += VF_STRIP_ROWS) {
    for (int v = 0; v < EB_TILE_VECTORS; v += EB_STRIP_VECTORS) finish_strip(b, col, VF_STRIP_ROWS, r, v, sums);
  }
  for (; r < b->rows; r++) {
    for (int v = 0; v < EB_TILE_VECTORS; v += EB_STRIP_VECTORS) finish_strip(b, col, 1, r, v, sums);
  }
}

/* Columns beyond n, residuals that wrap inside a strip, counts beyond 16 bits. */
EB_NOINLINE void finish_part_tile(const row_block* b, size_t col, vf counts[][EB_TILE_VECTORS]) {
  const vf factor = vf_set1(b->planes == 2 ? -1.0f : -2.0f), k = vf_set1((float)b->args->k);
  for (size_t r = 0; r < b->rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) counts[r][v] = vf_fma(counts[r][v], factor, k);
  }
  eb_epilogue_tile(&b->args->epilogue, b->args->n, b->row, b->rows, col, counts[0]);
}

static void gemm_tile(const row_block* b, size_t col, const uint8_t* panel) {
  wide_sums sums[EB_TILE_ROWS];
  vf totals[EB_TILE_ROWS][EB_TILE_VECTORS];
  int whole = b->whole_strips && col + EB_TILE_COLS <= b->args->n && (size_t)b->planes * b->blocks <= WIDE_BLOCKS;
  if (!whole) memset(totals, 0, sizeof(totals));
  size_t counted = 0;
  for (int plane = 0; plane < b->planes; plane++) {
    for (size_t block = 0; block < b->blocks; block++, counted++) {
      word_tables(*tables)[BLOCK_WORDS] = b->tables[b->kept ? (size_t)plane * b->blocks + block : 0];
      if (!b->kept) build_block(b, plane, block, tables);
      const uint8_t* w = panel + EB_TILE_COLS * NIBBLES * BLOCK_WORDS * block;
      if (counted == WIDE_BLOCKS) {
        add_to_totals(b, sums, totals);
        counted = 0;
      }
      for (size_t r = 0; r < b->rows; r += 2) {
        if (counted) {
          count_block(tables[r / 2], w, words_of(b, block), 0, sums + r);
        } else {
          count_block(tables[r / 2], w, words_of(b, block), 1, sums + r);
        }
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

void eb_b1_gemm__avx2(const eb_b1_gemm_args* args) {
  word_tables tables[MAX_BLOCKS][PAIRS][BLOCK_WORDS];
  row_block b = {.args = args, .counts = float_counts_of(args), .planes = args->a2 ? 2 : 1, .tables = tables};
  b.whole_strips = eb_residuals_are_strips(&args->epilogue);
  b.words = EB_CEIL_DIV(args->k, 64);
  b.blocks = EB_CEIL_DIV(b.words, BLOCK_WORDS);
  b.kept = (size_t)b.planes * b.blocks <= MAX_BLOCKS;
  for (b.row = 0; b.row < args->m; b.row += EB_TILE_ROWS) {
    b.rows = EB_MIN(EB_TILE_ROWS, args->m - b.row);
    for (size_t i = 0; b.kept && i < (size_t)b.planes * b.blocks; i++) {
      build_block(&b, (int)(i / b.blocks), i % b.blocks, tables[i]);
    }
    const uint8_t* panel = args->w;
    for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += EB_TILE_COLS * NIBBLES * b.words) {
      gemm_tile(&b, col, panel);
    }
  }
}
