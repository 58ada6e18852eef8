/* eb_b1_conv for cores with UDOT, which has no use here: bytes hold the sums of a group. As neon.c. */
#define EB_PATH neondot
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "words_neon.h"
#include "conv.h"
