/* eb_f32_gemm__avx512. Weights: panels of 32 channels, [k][32] floats. Tile: 12 rows x 32 channels: 24 sums, two
 * vectors of weights, one broadcast of a; whole tiles go through the epilogue in the registers of their sums.
 *
 * Cycle model (Zen 5, measured: two VFMADD and two loads a cycle): a step of k is 24 VFMADD and 14 loads, 12 cycles for
 * 384 products: 32 a cycle at best. Measured with zig, one thread,
 * products a cycle: 196x384x384 31.1, 196x384x1536 30.4, 3136x64x256 30.1. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 12
#define EB_TAIL_ROWS 4
#include "weights.h"
#include "broadcast.h"
#include "gemm.h"
