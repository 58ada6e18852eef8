#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#include "words_x86.h"
#include "conv.h"
