/* eb_w1_gemm on Armv8.0 NEON: the tile of eb_f32_gemm with signs from a table of 16 (vf_load_signs). FMLA bounds it as
 * it does eb_f32_gemm: 196 x 1536 x 384 has 2.3 products per instruction, by the model 3.9 of 4 per cycle on a
 * Cortex-A72 and 7.9 of 8 on a Cortex-A76. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"
#include "weights.h"
#include "../f32-gemm/lanes.h"
#include "../f32-gemm/gemm.h"
