/* Sets of stages that networks have, for code that is made for one of them: without branches, its stores overlap with
 * its arithmetic. Include after neon_counts.h. */
#ifndef EDGEBIN_EPILOGUE_NEON_STAGES_H
#define EDGEBIN_EPILOGUE_NEON_STAGES_H

#include "neon_counts.h"

#define EB_AFFINE (EB_SCALE | EB_BIAS | EB_OUT)
#define EB_RPRELU (EB_AFFINE | EB_RESIDUAL | EB_SLOPE | EB_OFFSET)

/* At most one residual and one plane of bits, as eb_epilogue_of assumes. */
EB_INLINE int eb_one_of_each(const eb_epilogue* e) { return !e->residual[1] && !e->threshold[1]; }

/* The epilogue as far as these stages go, a constant set. The compiler learns what is NULL and what is not. */
EB_INLINE eb_epilogue eb_epilogue_of(const eb_epilogue* e, const unsigned stages) {
#define EB_KEEP(stage, field)               \
  if (stages & (stage)) {                   \
    if (!e->field) __builtin_unreachable(); \
    some.field = e->field;                  \
  }
  eb_epilogue some = {.pool = stages & EB_POOLED ? e->pool : 1};
  EB_KEEP(EB_SCALE, scale)
  EB_KEEP(EB_BIAS, bias)
  EB_KEEP(EB_RESIDUAL, residual[0])
  EB_KEEP(EB_RESIDUAL, residual_cols[0])
  EB_KEEP(EB_SLOPE, slope)
  EB_KEEP(EB_OFFSET, offset)
  EB_KEEP(EB_GAIN, gain)
  EB_KEEP(EB_GAIN, shift)
  EB_KEEP(EB_SKIP, skip)
  EB_KEEP(EB_OUT, out)
  EB_KEEP(EB_BITS, threshold[0])
  EB_KEEP(EB_BITS, bits[0])
#undef EB_KEEP
  return some;
}

#endif
