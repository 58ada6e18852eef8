/* eb_b1_biased_attention on Armv8.0 NEON: 4 rows x 64 tokens or columns by EOR or AND, CNT, ADD; see attention.h for
 * layouts, tile_neon.h for registers. Instructions, one head of 64, 196 x 196 tokens (QEMU):
 * pack_keys 3253 + agree_rows 74774, write_maps 134162 (before, 343784), pack_values 4436 + context_rows 80409. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "../simd/u8_neon.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "scores_neon.h"
#include "biased_map.h"
