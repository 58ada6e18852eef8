#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 1
#include "../epilogue/tile.h"

#include "words_x86.h"
#include "conv.h"
