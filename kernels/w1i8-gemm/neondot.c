/* eb_w1i8_gemm on NEON with SDOT, 8 rows x 8 channels twice: weights are panels of 16 channels, 32 bits of k each.
 *
 * Registers: 16 sums, 8 of a, 2 of weights, 2 of masks. 144 vector operations per 2048 products; two issue per cycle on
 * a Cortex-A76, so 28 per cycle are the limit. 197 x 1536 x 384: 10.9 products per instruction, by the model 24.5 per
 * cycle on a Cortex-A76, where look-up (neon.c) has 22.1 and eb_w1_gemm 7.6.
 */
#include <arm_neon.h>
#include <string.h>

#include "../internal/dotprod.h"
#include "edgebin.h"

EB_DOTPROD_BEGIN

#define EB_PATH neondot
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "dot.h"

EB_DOTPROD_END
