/* eb_b1_conv on AVX-512: 8 pixels x 16 channels, a word of 16 channels of a tap at a time; see words_x86.h and conv.h.
 * 6.9 times onnxruntime's fp32 grouped Conv at 56 x 56 x 64 (3.2 when bits were gathered), 6.4 at 28 x 28 x 128. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#define EB_TILE_VECTORS 1
#include "../epilogue/tile.h"

#include "words_x86.h"
#include "conv.h"
