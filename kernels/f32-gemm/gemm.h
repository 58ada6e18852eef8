/* Walks the tiles of a GEMM of floats, panels outermost so that one panel of weights stays in cache while all rows pass
 * by.
 *
 * The variant that includes this has defined EB_TILE_VECTORS (its panel is EB_TILE_COLS channels wide), EB_TILE_ROWS,
 * EB_TAIL_ROWS (a smaller tile for what is left) and accumulate_tile(a, k, panel, rows, acc): rows x EB_TILE_COLS sums,
 * each one chain of fma over k. weights.h says what a panel holds: panel_word, EB_PANEL_STEP of them per step of k, and
 * load_weights(w, panel).
 */

EB_INLINE void gemm_tile(const gemm_args* args, size_t row, size_t col, const panel_word* panel, const int rows) {
  vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
  accumulate_tile(args->a + row * args->k, args->k, panel, rows, acc);
  eb_epilogue_tile(&args->epilogue, args->n, row, (size_t)rows, col, acc[0]);
}

void EB_SYMBOL(EB_GEMM)(const gemm_args* args) {
  const panel_word* panel = args->w;
  for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += args->k * EB_PANEL_STEP) {
    size_t row = 0;
    for (; row + EB_TILE_ROWS <= args->m; row += EB_TILE_ROWS) gemm_tile(args, row, col, panel, EB_TILE_ROWS);
    for (; row + EB_TAIL_ROWS <= args->m; row += EB_TAIL_ROWS) gemm_tile(args, row, col, panel, EB_TAIL_ROWS);
    for (; row < args->m; row++) gemm_tile(args, row, col, panel, 1);
  }
}
