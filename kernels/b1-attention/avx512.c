#define EB_PATH avx512
#include "../simd/u8_avx512.h"
#include "context_avx512.h"
#include "exp_sum_avx512.h"
#include "softmax_map.h"
