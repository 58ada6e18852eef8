/* 4 rows x 64 channels. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 4
#define EB_BLOCK_ROWS 4
#include "count_avx512.h"
#include "gemm.h"
