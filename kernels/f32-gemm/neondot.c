/* eb_f32_gemm on NEON with UDOT, which it does not need, 4 rows x 16 channels: see lanes.h. */
#define EB_PATH neondot
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"
#include "weights.h"
#include "lanes.h"
#include "gemm.h"
