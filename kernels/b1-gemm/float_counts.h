/* Popcounts as bits of floats, on x86: an integer addition to the bits of a float that is large enough adds to the
 * float, exactly. Counts start at `zero`; a count p is then the float 2^24 + 2p, or 2^23 + p where p sums two planes,
 * and depth - that is the accumulator k - 2p, or k - p: one operation instead of a conversion and a multiplication. All
 * of it is exact, for k < 2^22; 2^24 + k must be even, so an odd k is one too high at first. */
typedef struct {
  int32_t zero;
  float depth;
  int odd;
} float_counts;

EB_INLINE float_counts float_counts_of(const eb_b1_gemm_args* args) {
  const int32_t k = (int32_t)args->k, odd = args->a2 ? 0 : k % 2;
  const float_counts two_planes = {0x4B000000, (float)((1 << 23) + k), 0};
  const float_counts one_plane = {0x4B800000, (float)((1 << 24) + k + odd), odd};
  return args->a2 ? two_planes : one_plane;
}

/* From counts to accumulators. */
EB_INLINE void float_counts_finish(const float_counts* f, vf* v, const int vectors) {
  const vf depth = vf_set1(f->depth);
  EB_UNROLL for (int i = 0; i < vectors; i++) v[i] = vf_sub(depth, v[i]);
  if (f->odd) {
    EB_UNROLL for (int i = 0; i < vectors; i++) v[i] = vf_sub(v[i], vf_set1(1.0f));
  }
}
