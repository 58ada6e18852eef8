#define EB_PATH neondot
#include "../simd/u8_neon.h"
#include "context_bytes.h"
#include "exp_sum_table.h"
#include "softmax_map.h"
