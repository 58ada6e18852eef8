/* Sums of exp_table[agree], bounded from both sides by two bytes an entry, or exactly by plain look-ups.
 *
 * A row is compared with a few limits, so bounds that no limit separates say as much as the sum. Entries count as
 * 16-bit multiples of a unit that the row's best entry just fits: each is at most a unit too small. A window of
 * VU8_WINDOW entries below the best is looked up byte plane by byte plane; what lies lower counts as nothing, and as
 * much as the window's end in the upper bound. Tables must rise for that, as those of exp do; others are summed
 * exactly.
 *
 * For 197 tokens the bounds take about 110 instructions on NEON where exact look-ups take 610, and limits a factor of
 * exp(1/4) apart (heads of 64) separate the bounds of one row in some hundreds.
 */
#include "edgebin.h"

#define BOUNDED_TOKENS 2048 /* 16-bit lanes take 128 vectors of NEON: 128 * 2 * 255 <= 65535 */

typedef struct {
  int64_t low, high; /* low <= sum <= high */
} exp_bounds;

typedef struct {
  const int64_t* table;
  int rising;
  int8_t shift[256]; /* of the window below each best agree; -1: not built yet */
  uint8_t* windows;  /* [head_dim + 1][2][VU8_WINDOW] */
} exp_sum;

static size_t exp_sum_bytes(size_t head_dim) { return (head_dim + 1) * 2 * VU8_WINDOW; }

static exp_sum exp_sum_of(const int64_t* table, size_t head_dim, uint8_t* windows) {
  exp_sum sum = {.table = table, .rising = 1, .windows = windows};
  for (size_t i = 1; i <= head_dim; i++) sum.rising &= table[i] >= table[i - 1];
  memset(sum.shift, -1, sizeof(sum.shift));
  return sum;
}

/* Entry i of the window is exp_table[best - i] in units of 2^shift. */
static const uint8_t* window_below(exp_sum* sum, size_t best) {
  uint8_t* window = sum->windows + best * 2 * VU8_WINDOW;
  if (sum->shift[best] >= 0) return window;
  const int bits = 64 - __builtin_clzll((uint64_t)sum->table[best] | 1), shift = bits > 16 ? bits - 16 : 0;
  sum->shift[best] = (int8_t)shift;
  for (size_t i = 0; i < VU8_WINDOW; i++) {
    const uint64_t units = i <= best ? (uint64_t)sum->table[best - i] >> shift : 0;
    window[i] = (uint8_t)units;
    window[VU8_WINDOW + i] = (uint8_t)(units >> 8);
  }
  return window;
}

static exp_bounds exp_sum_exact(const exp_sum* sum, const uint8_t* agree, size_t tokens) {
  const int64_t* table = sum->table;
  int64_t z[4] = {0}; /* several sums in flight hide the latency of the loads */
  size_t j = 0;
  for (; j + 8 <= tokens; j += 8) {
    uint64_t eight;
    memcpy(&eight, agree + j, sizeof(eight));
    EB_UNROLL for (int i = 0; i < 8; i++) z[i % 4] += table[eight >> (8 * i) & 255];
  }
  for (; j < tokens; j++) z[0] += table[agree[j]];
  z[0] += z[1] + z[2] + z[3];
  return (exp_bounds){z[0], z[0]};
}

/* Of VU8_WINDOWS rows, whole vectors of tokens. */
EB_INLINE void window_sums(const uint8_t* agree, size_t stride, size_t tokens, const size_t* best,
                           const uint8_t* const* window, uint64_t* units) {
  vu8_window low[VU8_WINDOWS], high[VU8_WINDOWS];
  vu8_sums low_sum[VU8_WINDOWS], high_sum[VU8_WINDOWS];
  vu8 from[VU8_WINDOWS];
  EB_UNROLL for (size_t r = 0; r < VU8_WINDOWS; r++) {
    low[r] = vu8_load_window(window[r]);
    high[r] = vu8_load_window(window[r] + VU8_WINDOW);
    low_sum[r] = high_sum[r] = vu8_no_sums();
    from[r] = vu8_set1((uint8_t)best[r]);
  }
  for (size_t j = 0; j < tokens; j += VU8_LANES) {
    EB_UNROLL for (size_t r = 0; r < VU8_WINDOWS; r++) {
      const vu8 below = vu8_sub(from[r], vu8_load(agree + r * stride + j));
      low_sum[r] = vu8_add_to_sums(low_sum[r], vu8_look_up(low[r], below));
      high_sum[r] = vu8_add_to_sums(high_sum[r], vu8_look_up(high[r], below));
    }
  }
  EB_UNROLL for (size_t r = 0; r < VU8_WINDOWS; r++) {
    units[r] = vu8_sums_across(low_sum[r]) + 256 * vu8_sums_across(high_sum[r]);
  }
}

/* Of ROWS rows of agree, in step for the latencies of maxima and sums. Writes the vector after a row's last token: more
 * of its first token, taken off the sum again. */
EB_INLINE void exp_sum_bounds(exp_sum* sum, uint8_t* agree, size_t stride, size_t tokens, exp_bounds* bounds) {
  if (!sum->rising || tokens > BOUNDED_TOKENS) {
    for (size_t r = 0; r < ROWS; r++) bounds[r] = exp_sum_exact(sum, agree + r * stride, tokens);
    return;
  }
  vu8 most[ROWS], least[ROWS];
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) {
    most[r] = least[r] = vu8_set1(agree[r * stride]);
    vu8_store(agree + r * stride + tokens, most[r]);
  }
  for (size_t j = 0; j < tokens; j += VU8_LANES) {
    EB_UNROLL for (size_t r = 0; r < ROWS; r++) {
      const vu8 v = vu8_load(agree + r * stride + j);
      most[r] = vu8_max(most[r], v);
      least[r] = vu8_min(least[r], v);
    }
  }
  size_t best[ROWS], worst[ROWS];
  const uint8_t* window[ROWS];
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) {
    best[r] = vu8_max_across(most[r]);
    worst[r] = vu8_min_across(least[r]);
  }
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) window[r] = window_below(sum, best[r]);
  uint64_t units[ROWS];
  EB_UNROLL for (size_t first = 0; first < ROWS; first += VU8_WINDOWS) {
    window_sums(agree + first * stride, stride, tokens, best + first, window + first, units + first);
  }
  const size_t spare = EB_CEIL_DIV(tokens, VU8_LANES) * VU8_LANES - tokens;
  EB_UNROLL for (size_t r = 0; r < ROWS; r++) {
    const size_t below = best[r] - agree[r * stride];
    if (below < VU8_WINDOW) units[r] -= spare * (window[r][below] + 256 * (size_t)window[r][VU8_WINDOW + below]);
    const int shift = sum->shift[best[r]];
    uint64_t slack = tokens;
    if (best[r] - worst[r] >= VU8_WINDOW) {
      slack += tokens * (((uint64_t)sum->table[best[r] - VU8_WINDOW] >> shift) + 1);
    }
    const int fits = units[r] + slack <= (uint64_t)INT64_MAX >> shift;
    bounds[r].low = (int64_t)(units[r] << shift);
    bounds[r].high = fits ? (int64_t)((units[r] + slack) << shift) : INT64_MAX;
  }
}
