/* eb_b1_relative_attention on Armv8.0 NEON: 4 rows x 64 tokens or columns by EOR or AND, CNT, ADD; see attention.h for
 * layouts, tile_neon.h for registers. Instructions, one head of 64, 197 x 197 tokens (QEMU):
 * pack_keys 3253 + agree_rows 76300, write_maps 32850, pack_values 4436 + context_rows 82050; before, 273 thousand in
 * all, now 205. */
#define EB_PATH neon
#include "../simd/u8_neon.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "relative_map.h"
