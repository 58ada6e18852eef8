/* accumulate_tile for machines that broadcast a float while loading it. */

EB_INLINE void accumulate_tile(const float* a, size_t k, const panel_word* panel, const int rows,
                               vf acc[][EB_TILE_VECTORS]) {
  vf sum[EB_TILE_ROWS][EB_TILE_VECTORS];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) sum[r][v] = vf_set1(0.0f);
  }
  for (size_t p = 0; p < k; p++, panel += EB_PANEL_STEP) {
    vf w[EB_TILE_VECTORS];
    load_weights(w, panel);
    EB_UNROLL for (int r = 0; r < rows; r++) {
      const vf x = vf_set1(a[(size_t)r * k + p]);
      EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) sum[r][v] = vf_fma(x, w[v], sum[r][v]);
    }
  }
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) acc[r][v] = sum[r][v];
  }
}
