/* Fetches the lines of a result that a tile will be written to, while the tile is counted. Patches of four rows are no
 * stream that a processor would notice, so a result out of cache costs twice what a stream of stores does. Worth it
 * where there is little to count: at k = 64 and n > 64 (3136x64x256, fp32 out, out of cache: 1.5 times as fast on
 * AVX2, 1.2 times on AVX-512; in cache 2% slower). Include after epilogue/tile.h. */

EB_INLINE int result_is_fetched(const eb_b1_gemm_args* args) {
  return args->k <= 64 && args->n > EB_TILE_COLS && args->epilogue.out && args->epilogue.pool <= 1;
}

EB_INLINE void fetch_result(const eb_b1_gemm_args* args, size_t row, size_t rows, size_t col) {
  for (size_t r = row; r < row + rows; r++) {
    const float* out = args->epilogue.out + r * args->n + col;
    EB_UNROLL for (int i = 0; i < EB_TILE_COLS; i += 16) __builtin_prefetch(out + i, 1, 3);
  }
}
