/* 8 pixels x 16 channels: a group of the published networks has 16 or 32. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 8
#include "../b1-gemm/count_neon.h"
#include "conv.h"
