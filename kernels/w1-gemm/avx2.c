/* eb_w1_gemm__avx2. Weights: panels of 16 channels, [k][2] bytes of bits. The tile of f32_gemm, 6 rows x 16 channels,
 * which leaves one register of 16: so -1 and +1 come from a table of 8 KB, one load per 8 channels. As fast as
 * f32_gemm, 15 products a cycle at 196x384x384 (Zen 5, zig, one thread). */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 6
#define EB_TAIL_ROWS 2
#include "weights.h"
#include "../f32-gemm/broadcast.h"
#include "../f32-gemm/gemm.h"
