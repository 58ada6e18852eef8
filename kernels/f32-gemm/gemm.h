/* Walks the tiles of a GEMM of floats, panels outermost so that one panel of weights stays in cache while all rows pass
 * by.
 *
 * The variant that includes this has defined EB_TILE_VECTORS (its panel is EB_TILE_COLS channels wide), EB_TILE_ROWS,
 * EB_TAIL_ROWS (a smaller tile for what is left) and accumulate_tile(a, k, panel, rows, acc): rows x EB_TILE_COLS sums,
 * each one chain of fma over k. weights.h says what a panel holds: panel_word, EB_PANEL_STEP of them per step of k, and
 * load_weights(w, panel). With EB_SUMS_THROUGH_MEMORY defined no tile goes through the epilogue in registers: for loops
 * whose constants the epilogue would push out of the register file.
 */

/* A whole tile goes through the epilogue in the registers of its sums. */
EB_INLINE void gemm_tile(const gemm_args* args, size_t row, size_t col, const panel_word* panel, const int rows,
                         const int whole) {
  vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
  accumulate_tile(args->a + row * args->k, args->k, panel, rows, acc);
  if (whole) {
    eb_epilogue_strip(&args->epilogue, args->n, row, rows, col, EB_TILE_COLS, acc);
    if (col + EB_TILE_COLS == args->n) eb_pad_bits(&args->epilogue, args->n, row, (size_t)rows);
  } else {
    eb_epilogue_tile(&args->epilogue, args->n, row, (size_t)rows, col, acc[0]);
  }
}

void EB_SYMBOL(EB_GEMM)(const gemm_args* args) {
  const panel_word* panel = args->w;
#ifdef EB_SUMS_THROUGH_MEMORY
  const int strips = 0;
#else
  const int strips = eb_residuals_are_strips(&args->epilogue);
#endif
  for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += args->k * EB_PANEL_STEP) {
    size_t row = 0;
    if (strips && col + EB_TILE_COLS <= args->n) {
      for (; row + EB_TILE_ROWS <= args->m; row += EB_TILE_ROWS) gemm_tile(args, row, col, panel, EB_TILE_ROWS, 1);
    } else {
      for (; row + EB_TILE_ROWS <= args->m; row += EB_TILE_ROWS) gemm_tile(args, row, col, panel, EB_TILE_ROWS, 0);
    }
    for (; row + EB_TAIL_ROWS <= args->m; row += EB_TAIL_ROWS) gemm_tile(args, row, col, panel, EB_TAIL_ROWS, 0);
    for (; row < args->m; row++) gemm_tile(args, row, col, panel, 1, 0);
  }
}
