/* eb_b1_relative_attention for cores with UDOT, which has no use here: bytes hold the sums of a head. As neon.c. */
#define EB_PATH neondot
#include "../simd/u8_neon.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "relative_map.h"
