#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "words_neon.h"
#include "conv.h"
