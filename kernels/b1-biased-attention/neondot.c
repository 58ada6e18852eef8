/* eb_b1_biased_attention for cores with UDOT, which has no use here: bytes hold the sums of a head. As neon.c. */
#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "../simd/u8_neon.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "scores_neon.h"
#include "biased_map.h"
