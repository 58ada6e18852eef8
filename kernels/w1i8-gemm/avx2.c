/* eb_w1i8_gemm on AVX2, 4 rows x 32 channels: weights are panels of 32 channels, a byte per 4 bits.
 *
 * Registers: 8 sums of bytes, 1 of weights, 2 of tables. Per 4 of k and 512 products 8 VPSHUFB, 8 VPADDB, 9 loads. 2
 * rows x 64 channels have 6 loads instead and are as fast (342 and 348 GMAC/s at 196 x 384 x 1536); 4 x 64 spills
 * (322).
 */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "tables.h"
#include "lanes_avx2.h"
#include "build_x86.h"
#include "lookup.h"
