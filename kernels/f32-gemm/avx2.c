/* 6 rows x 16 channels: 12 sums, two vectors of weights, one broadcast of a. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 6
#define EB_TAIL_ROWS 2
#include "weights.h"
#include "broadcast.h"
#include "gemm.h"
