/* eb_w1i8_gemm on NEON without dot products, 4 rows x 32 channels: weights are panels of 32 channels, a byte per 4
 * bits.
 *
 * Registers: 16 sums of bytes (row x low, high x 2 vectors), 2 of weights, 2 of tables. Per 4 of k and 512 products 16
 * TBL, 16 ADD, 5 LDP; per 32 of k 32 widening additions. Bound by TBL on a Cortex-A72 (0.67 per cycle), by TBL, ADD and
 * loads in turn on a Cortex-A53. 197 x 1536 x 384: 9.2 products per instruction, by the model 12.5 per cycle on a
 * Cortex-A72 and 6.6 on a Cortex-A53, where eb_w1_gemm has 3.9 and 2.4.
 */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"

#include "tables.h"
#include "lanes_neon.h"
#include "lookup.h"
