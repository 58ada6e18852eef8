/* 4 rows x 32 channels. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "tables.h"
#include "lanes_avx2.h"
#include "build_x86.h"
#include "lookup.h"
