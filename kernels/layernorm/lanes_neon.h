/* 16 lanes in four vectors. */
#define LANE_VECTORS 4

EB_INLINE float lanes_total(const vf* v) {
  const vf four = vf_add(vf_add(v[0], v[2]), vf_add(v[1], v[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

EB_INLINE float inverse_root(float x) { return 1.0f / vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0); }
