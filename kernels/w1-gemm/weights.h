/* Panels of bits: the fp32 GEMM whose weights are -1 and +1, for acc + 1 * a and acc - 1 * a round as a sum does.
 * Include after epilogue/tile.h. */
typedef eb_w1_gemm_args gemm_args;
typedef uint8_t panel_word;
#define EB_GEMM eb_w1_gemm
#define EB_PANEL_STEP (EB_TILE_COLS / 8)

EB_INLINE void load_weights(vf* w, const panel_word* panel) { vf_load_signs(w, panel, EB_TILE_VECTORS); }
