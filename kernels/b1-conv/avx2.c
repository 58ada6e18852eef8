/* 4 pixels x 32 channels, the fewest that fill a vector of bytes. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 4
#include "../b1-gemm/count_avx2.h"
#include "conv.h"
