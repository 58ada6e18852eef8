/* Walks the tiles of a binary GEMM: blocks of EB_BLOCK_ROWS rows outermost, then panels. Few rows per block write the
 * result in long runs (panels outermost write patches: 1.4 times slower where the result is out of cache), many rows
 * read the panels less often; a panel itself always stays in the first-level cache while its block passes by.
 *
 * The variant that includes this has defined EB_TILE_VECTORS (its panel is EB_TILE_COLS channels wide), EB_TILE_ROWS <=
 * 4 and EB_BLOCK_ROWS (a multiple of it), and included a count_*.h. That defines EB_PANEL_BYTES_PER_BYTE (of a row of
 * bits) and count_tile(a, a_row_bytes, panel, k, rows, counts): popcounts of rows x EB_TILE_COLS outputs, as exact
 * floats.
 */

EB_INLINE void gemm_tile(const eb_b1_gemm_args* args, size_t row, size_t col, const uint8_t* panel, const int rows) {
  const size_t a_row_bytes = EB_BIT_ROW_BYTES(args->k);
  vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
  count_tile(args->a + row * a_row_bytes, a_row_bytes, panel, args->k, rows, acc);
  vf factor = vf_set1(-2.0f);
  if (args->a2) {
    vf second[EB_TILE_ROWS][EB_TILE_VECTORS];
    count_tile(args->a2 + row * a_row_bytes, a_row_bytes, panel, args->k, rows, second);
    factor = vf_set1(-1.0f);
    EB_UNROLL for (int r = 0; r < rows; r++) {
      EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) acc[r][v] = vf_add(acc[r][v], second[r][v]);
    }
  }
  const vf k = vf_set1((float)args->k);
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) acc[r][v] = vf_fma(acc[r][v], factor, k);
  }
  eb_epilogue_tile(&args->epilogue, args->n, row, (size_t)rows, col, acc[0]);
}

static void gemm_block(const eb_b1_gemm_args* args, size_t row, size_t end, size_t col, const uint8_t* panel) {
  for (; row + EB_TILE_ROWS <= end; row += EB_TILE_ROWS) gemm_tile(args, row, col, panel, EB_TILE_ROWS);
  switch (end - row) {
    case 3:
      gemm_tile(args, row, col, panel, 3);
      break;
    case 2:
      gemm_tile(args, row, col, panel, 2);
      break;
    case 1:
      gemm_tile(args, row, col, panel, 1);
      break;
  }
}

void EB_SYMBOL(eb_b1_gemm)(const eb_b1_gemm_args* args) {
  const size_t panel_bytes = EB_BIT_ROW_BYTES(args->k) * EB_TILE_COLS * EB_PANEL_BYTES_PER_BYTE;
  for (size_t row = 0; row < args->m; row += EB_BLOCK_ROWS) {
    const size_t end = EB_MIN(row + EB_BLOCK_ROWS, args->m);
    const uint8_t* panel = args->w;
    for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += panel_bytes) {
      gemm_block(args, row, end, col, panel);
    }
  }
}
