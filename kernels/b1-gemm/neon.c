/* eb_b1_gemm for out-of-order cores of Armv8.0 (Cortex-A57, A72), tiles of 4 rows x 32 channels. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 8
#define EB_STRIP_ROWS 4
#include "../epilogue/tile.h"

#include "../epilogue/neon_counts.h"
#include "../epilogue/neon_limits.h"
#include "neon_tile.h"
#include "neon_gemm.h"
