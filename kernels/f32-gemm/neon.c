/* eb_f32_gemm on Armv8.0 NEON, 4 rows x 16 channels: see lanes.h. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"
#include "weights.h"
#include "lanes.h"
#include "gemm.h"
