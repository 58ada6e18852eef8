/* eb_w1_gemm__avx512. Weights: panels of 32 channels, [k][4] bytes of bits. The tile of f32_gemm, 12 rows x 32
 * channels; two VBLENDMPS make -1 and +1 of a step's bits, for 24 VFMADD. As fast as f32_gemm, 31 products a cycle at
 * 196x384x384 (Zen 5, zig, one thread), with 1/32 of the weights to read: 1.2 times as fast for one row. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#define EB_SUMS_THROUGH_MEMORY /* -1 and +1 stay in registers: 132 GMAC/s instead of 113 at 197x384x1536 */
#define EB_TILE_ROWS 12
#define EB_TAIL_ROWS 4
#include "weights.h"
#include "../f32-gemm/broadcast.h"
#include "../f32-gemm/gemm.h"
