/* Panels of floats. Include after epilogue/tile.h. */
typedef eb_f32_gemm_args gemm_args;
typedef float panel_word;
#define EB_GEMM eb_f32_gemm
#define EB_PANEL_STEP EB_TILE_COLS

EB_INLINE void load_weights(vf* w, const panel_word* panel) {
  EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) w[v] = vf_load(panel + v * VF_LANES);
}
