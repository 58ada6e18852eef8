/* 4 rows x 64 channels. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "tables.h"
#include "lanes_avx512.h"
#include "build_x86.h"
#include "lookup.h"
