/* 4 rows x 32 channels. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 8
#include "../epilogue/tile.h"

#include "tables.h"
#include "lanes_neon.h"
#include "lookup.h"
