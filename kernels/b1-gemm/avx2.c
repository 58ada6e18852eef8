/* 4 rows x 64 channels. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 4
#define EB_BLOCK_ROWS 16
#include "count_avx2.h"
#include "gemm.h"
