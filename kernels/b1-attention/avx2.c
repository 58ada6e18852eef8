#define EB_PATH avx2
#include "../simd/u8_avx2.h"
#include "context_bytes.h"
#include "exp_sum_table.h"
#include "softmax_map.h"
