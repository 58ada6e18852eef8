/* 12 rows x 32 channels: 24 sums, two vectors of weights, the broadcasts of a folded into VFMADD. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 12
#define EB_TAIL_ROWS 4
#include "weights.h"
#include "broadcast.h"
#include "gemm.h"
