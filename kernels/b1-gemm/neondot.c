/* 4 rows x 16 channels. */
#include <arm_neon.h>
#include <string.h>

#include "../internal/dotprod.h"
#include "edgebin.h"

EB_DOTPROD_BEGIN

#define EB_PATH neondot
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#define EB_TILE_ROWS 4
#define EB_BLOCK_ROWS 16
#include "count_neondot.h"
#include "gemm.h"

EB_DOTPROD_END
