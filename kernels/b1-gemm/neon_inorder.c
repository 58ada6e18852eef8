/* eb_b1_gemm for in-order cores of Armv8.0 (Cortex-A53), tiles of 6 rows x 32 channels. */
#define EB_PATH neon_inorder
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 8
#define EB_STRIP_ROWS 4
#include "../epilogue/tile.h"

#include "../epilogue/neon_counts.h"
#include "../epilogue/neon_limits.h"
#include "inorder_tile.h"
#include "neon_gemm.h"
