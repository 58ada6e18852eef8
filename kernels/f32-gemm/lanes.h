/* accumulate_tile for NEON, 4 rows x 16 channels: four steps of k come with one load per row and are used by lane, so
 * 20 loads feed 64 FMLA.
 *
 * Registers: 16 sums, 4 of rows, 4 of weights. FMLA bounds it: 196 x 768 x 384 has 3.1 products per instruction
 * (QEMU), by the model 3.97 of 4 per cycle on a Cortex-A72 and 7.9 of 8 on a Cortex-A76; on a Cortex-A53, whose loads
 * of 128 bits take two cycles, 2.4 of 4. */
#define EB_TILE_ROWS 4
#define EB_TAIL_ROWS 2

#define STEP(lane)                                                                                                  \
  do {                                                                                                              \
    load_weights(w, panel);                                                                                         \
    EB_UNROLL for (int r = 0; r < rows; r++) {                                                                      \
      EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) sum[r][v] = vfmaq_laneq_f32(sum[r][v], w[v], x[r], lane); \
    }                                                                                                               \
    panel += EB_PANEL_STEP;                                                                                         \
  } while (0)

EB_INLINE void accumulate_tile(const float* a, size_t k, const panel_word* panel, const int rows,
                               vf acc[][EB_TILE_VECTORS]) {
  vf sum[EB_TILE_ROWS][EB_TILE_VECTORS], x[EB_TILE_ROWS], w[EB_TILE_VECTORS];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) sum[r][v] = vf_set1(0.0f);
  }
  size_t p = 0;
  for (; p + 4 <= k; p += 4) {
    EB_UNROLL for (int r = 0; r < rows; r++) x[r] = vld1q_f32(a + (size_t)r * k + p);
    STEP(0);
    STEP(1);
    STEP(2);
    STEP(3);
  }
  for (; p < k; p++) {
    EB_UNROLL for (int r = 0; r < rows; r++) x[r] = vdupq_n_f32(a[(size_t)r * k + p]);
    STEP(0);
  }
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) acc[r][v] = sum[r][v];
  }
}
