/* Picks the tiles that are made for the epilogue of a call. Include after the NEON variant has defined product, block
 * and, for each function called here, tiles(p, b): those of one set of stages (epilogue/neon_stages.h), and other_tiles
 * for any. */
#ifndef EDGEBIN_B1_GEMM_WHOLE_TILES_H
#define EDGEBIN_B1_GEMM_WHOLE_TILES_H

/* stages: the call's, or 0 where the tiles made for them do not fit the call in another way. */
static void tiles_for(const unsigned stages, const product* p, const block* b) {
  switch (stages) {
    case EB_AFFINE:
      scaled_tiles(p, b);
      break;
    case EB_AFFINE | EB_RESIDUAL:
      residual_tiles(p, b);
      break;
    case EB_RPRELU | EB_BITS:
      rprelu_bit_tiles(p, b);
      break;
    case EB_RPRELU | EB_SKIP:
      rprelu_skip_tiles(p, b);
      break;
    case EB_RPRELU | EB_GAIN | EB_SKIP:
      gain_skip_tiles(p, b);
      break;
    case EB_RPRELU | EB_BITS | EB_POOLED:
      pooled_bit_tiles(p, b);
      break;
    default:
      other_tiles(p, b);
  }
}

#endif
