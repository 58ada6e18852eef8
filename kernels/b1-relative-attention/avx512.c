/* eb_b1_relative_attention on AVX-512: 4 rows x 64 tokens or columns by VPXOR or VPAND, VPOPCNTB, VPADDB; see
 * attention.h for layouts. 1.3 times as fast as maps of 64 tokens made in order (197 tokens). */
#define EB_PATH avx512
#include "../simd/u8_avx512.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "relative_map.h"
