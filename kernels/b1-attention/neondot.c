/* eb_b1_attention for cores with UDOT, which has no use here: bytes hold the sums of a head. As neon.c. */
#define EB_PATH neondot
#include "../simd/u8_neon.h"
#include "planes_bytes.h"
#include "context.h"
#include "softmax_map.h"
