/* Panels of floats. Include after epilogue/tile.h. */
typedef eb_f32_gemm_args gemm_args;
typedef float panel_word;
#define EB_GEMM eb_f32_gemm
#define EB_PANEL_STEP EB_TILE_COLS

EB_INLINE void load_weights(vf* w, const panel_word* panel) { eb_load_cols(w, panel, EB_TILE_COLS); }
