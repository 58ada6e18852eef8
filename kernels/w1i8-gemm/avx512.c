/* eb_w1i8_gemm on AVX-512, 4 rows x 128 channels: weights are panels of 128 channels, a byte per 4 bits.
 *
 * Registers: 16 sums of bytes, 2 of weights, 2 of tables. Per 4 of k and 2048 products 16 VPSHUFB, 16 VPADDB, 10 loads.
 * 64 channels need 9 loads for 8 VPSHUFB and take 1.18 times as long: 509 against 432 GMAC/s at 197 x 384 x 1536, in
 * turns on one machine.
 */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"

#include "tables.h"
#include "lanes_avx512.h"
#include "build_x86.h"
#include "lookup.h"
