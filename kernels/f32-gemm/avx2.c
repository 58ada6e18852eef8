/* eb_f32_gemm__avx2. Weights: panels of 16 channels, [k][16] floats. Tile: 6 rows x 16 channels: 12 sums, two vectors
 * of weights, one broadcast of a, of 16 registers; whole tiles go through the epilogue in the registers of their sums.
 *
 * Cycle model (two VFMADD a cycle): a step of k is 12 VFMADD and 8 loads, 6 cycles for 96 products: 16 a cycle at best.
 * Measured on Zen 5 with zig, one thread, products a cycle: 3136x64x256 15.5, 196x384x384 15.2. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 6
#define EB_TAIL_ROWS 2
#include "weights.h"
#include "broadcast.h"
#include "gemm.h"
