/* 16 channels per vector of bytes: TBL looks up, UADDW and UMLAL widen. */
#define BYTE_LANES 16
typedef uint8x16_t bytes;
typedef uint16x8_t words16;
typedef uint32x4_t words32;

EB_INLINE bytes bytes_load(const uint8_t* p) { return vld1q_u8(p); }
EB_INLINE bytes bytes_add(bytes a, bytes b) { return vaddq_u8(a, b); }
EB_INLINE bytes table_load(const uint8_t* p) { return vld1q_u8(p); }
EB_INLINE bytes look_up(bytes table, bytes index) { return vqtbl1q_u8(table, index); }

EB_INLINE void words16_clear(words16* v) { v[0] = v[1] = vdupq_n_u16(0); }
EB_INLINE void words16_add_entries(words16* v, bytes low, bytes high) {
  const uint8x8_t factor = vdup_n_u8(32);
  v[0] = vmlal_u8(vaddw_u8(v[0], vget_low_u8(low)), vget_low_u8(high), factor);
  v[1] = vmlal_high_u8(vaddw_high_u8(v[1], low), high, vdupq_n_u8(32));
}

EB_INLINE void words32_clear(words32* v) { EB_UNROLL for (int i = 0; i < 4; i++) v[i] = vdupq_n_u32(0); }
EB_INLINE void words32_add(words32* v, const words16* half) {
  EB_UNROLL for (int i = 0; i < 2; i++) {
    v[2 * i] = vaddw_u16(v[2 * i], vget_low_u16(half[i]));
    v[2 * i + 1] = vaddw_high_u16(v[2 * i + 1], half[i]);
  }
}
EB_INLINE void words32_store(uint32_t* p, const words32* v) {
  EB_UNROLL for (int i = 0; i < 4; i++) vst1q_u32(p + 4 * i, v[i]);
}

/* The tables of one row for 32 of k. */
EB_INLINE void build_step(const int8_t* a, uint8_t* tables) {
  const int16_t bits[3][8] = {{0, 1, 0, 1, 0, 1, 0, 1}, {0, 0, 1, 1, 0, 0, 1, 1}, {0, 0, 0, 0, 1, 1, 1, 1}};
  const int16x8_t bit0 = vld1q_s16(bits[0]), bit1 = vld1q_s16(bits[1]), bit2 = vld1q_s16(bits[2]);
  for (int pair = 0; pair < STEP_GROUPS / 2; pair++) {
    const int16x8_t x = vmovl_s8(vld1_s8(a + 8 * pair));
#define BUILD(group, first)                                                                        \
  do {                                                                                             \
    int16x8_t sum = vmlaq_laneq_s16(vdupq_n_s16(512), bit0, x, first);                             \
    sum = vmlaq_laneq_s16(vmlaq_laneq_s16(sum, bit1, x, first + 1), bit2, x, first + 2);           \
    const uint16x8_t lower = vreinterpretq_u16_s16(sum);                                           \
    const uint16x8_t upper = vreinterpretq_u16_s16(vaddq_s16(sum, vdupq_laneq_s16(x, first + 3))); \
    uint8_t* table = tables + (size_t)(group) * GROUP_BYTES;                                       \
    const uint8x16_t low = vuzp1q_u8(vreinterpretq_u8_u16(lower), vreinterpretq_u8_u16(upper));    \
    vst1q_u8(table, vandq_u8(low, vdupq_n_u8(31)));                                                \
    vst1q_u8(table + 16, vshrn_high_n_u16(vshrn_n_u16(lower, 5), upper, 5));                       \
  } while (0)
    BUILD(2 * pair, 0);
    BUILD(2 * pair + 1, 4);
#undef BUILD
  }
}
