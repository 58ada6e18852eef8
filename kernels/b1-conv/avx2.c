/* eb_b1_conv on AVX2: 4 pixels x 16 channels, a word of 16 channels of a tap at a time; see words_x86.h and conv.h.
 * 3.5 times onnxruntime's fp32 grouped Conv at 56 x 56 x 64 (1.1 when bits were gathered), 3.2 at 28 x 28 x 128. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#define EB_TILE_VECTORS 2
#include "../epilogue/tile.h"

#include "words_x86.h"
#include "conv.h"
