/* 8 pixels x 16 channels: a group of the published networks has 16 or 32. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 1
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 8
#include "../b1-gemm/count_avx512.h"
#include "conv.h"
