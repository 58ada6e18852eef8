/* eb_b1_attention on Armv8.0 NEON: 4 rows x 64 tokens or columns by EOR or AND, CNT, ADD; see attention.h for
 * layouts, tile_neon.h for registers. Instructions, one head of 64, one map, 196 x 196 tokens
 * (QEMU): pack_keys 3253 + agree_rows 74774 = 31.5 bit products each; write_maps 81876; pack_values 4436 + context_rows
 * 81095 = 28.7 each. Before tiles in assembly, bounded sums and maps of whole vectors: 416 thousand in all, now 252.
 * A step of a tile is 48 vector operations for 2048 products: on Cortex-A72, which starts 1.5 EOR or ADD and one CNT a
 * cycle, 37 cycles, so 55 products a cycle at most; Cortex-A53 starts one, 42.7. */
#define EB_PATH neon
#include "../simd/u8_neon.h"
#include "planes_bytes.h"
#include "context.h"
#include "softmax_map.h"
