/* 4 rows x 32 channels. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 4
#define EB_BLOCK_ROWS 16
#include "count_neon.h"
#include "gemm.h"
