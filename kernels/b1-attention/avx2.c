/* eb_b1_attention on AVX2: 4 rows x 64 tokens or columns, four bits by one VPSHUFB; see attention.h for layouts.
 * 2.2 times as fast as counting by nibbles with exact sums, and
 * 4.5 times onnxruntime's fp32 MatMul, Softmax, MatMul (6 heads, 197 tokens), 3.3 times at 49 tokens and 8 heads. */
#define EB_PATH avx2
#include "../simd/u8_avx2.h"
#include "planes_nibbles.h"
#include "context.h"
#include "softmax_map.h"
