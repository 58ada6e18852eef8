/* The stages of an epilogue as a set, so that code can be made for those that are met often. */
#ifndef EDGEBIN_EPILOGUE_STAGES_H
#define EDGEBIN_EPILOGUE_STAGES_H

#include "edgebin.h"

/* What an epilogue does; a set of these, known at compile time or not. */
enum {
  EB_SCALE = 1,
  EB_BIAS = 2,
  EB_RESIDUAL = 4,
  EB_SLOPE = 8,
  EB_OFFSET = 16,
  EB_GAIN = 32,
  EB_SKIP = 64,
  EB_OUT = 128,
  EB_POOLED = 256,
  EB_BITS = 512,
  EB_ANY_STAGES = 1024 /* not known: test for NULL */
};

EB_INLINE unsigned eb_stages_of(const eb_epilogue* e) {
  return (e->scale ? EB_SCALE : 0u) | (e->bias ? EB_BIAS : 0u) | (e->residual[0] ? EB_RESIDUAL : 0u) |
         (e->slope ? EB_SLOPE : 0u) | (e->offset ? EB_OFFSET : 0u) | (e->gain ? EB_GAIN : 0u) |
         (e->skip ? EB_SKIP : 0u) | (e->out ? EB_OUT : 0u) | (e->out && e->pool > 1 ? EB_POOLED : 0u) |
         (e->threshold[0] ? EB_BITS : 0u);
}

#endif
