/* 4 pixels x 16 channels: a group of the published networks has 16 or 32. */
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
#include "../b1-gemm/count_neondot.h"
#include "conv.h"

EB_DOTPROD_END
