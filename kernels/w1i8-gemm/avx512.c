/* 4 rows x 128 channels. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"

#include "tables.h"
#include "lanes_avx512.h"
#include "build_x86.h"
#include "lookup.h"
