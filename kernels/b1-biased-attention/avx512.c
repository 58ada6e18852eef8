/* eb_b1_biased_attention on AVX-512: 4 rows x 64 tokens or columns by VPXOR or VPAND, VPOPCNTB, VPADDB; see attention.h
 * for layouts. 1.4 times as fast as scores computed twice (196 tokens). */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#include "../simd/u8_avx512.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "scores_x86.h"
#include "biased_map.h"
