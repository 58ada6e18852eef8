/* Source: the method is that of `mhz`, which sbc-bench uses to see clocks that the firmware of a board has lowered. */
#define _GNU_SOURCE
#include "clock.h"

#include <sched.h>
#include <stdint.h>

#include "../../runtime/machine.h"
#include "placement.h"

/* 1000 in a row: the loop round them takes less than two cycles more. The shortest of some stretches counts, because
 * interrupts only ever lengthen one. */
enum { IN_A_ROW = 1000, LOOPS = 1000, STRETCHES = 5 };

static void add_in_a_row(void) {
  uint64_t sum = 1, loops = LOOPS;
  const uint64_t step = 3;
  /* From a register: newer x86 cores add constants while they rename registers, in no cycle at all. */
#if defined(__aarch64__)
  __asm__ volatile(".p2align 4\n1:\n.rept 1000\nadd %0, %0, %2\n.endr\nsubs %1, %1, #1\nb.ne 1b"
                   : "+r"(sum), "+r"(loops)
                   : "r"(step)
                   : "cc");
#elif defined(__x86_64__)
  __asm__ volatile(".p2align 4\n1:\n.rept 1000\nadd %2, %0\n.endr\nsub $1, %1\njnz 1b"
                   : "+r"(sum), "+r"(loops)
                   : "r"(step)
                   : "cc");
#else
#error "no chain of additions for this architecture"
#endif
}

double eb_clock_hz(int cpu) {
  if (!eb_placement_on(cpu)) return 0;
  int64_t shortest_ns = INT64_MAX;
  for (int i = 0; i < STRETCHES; i++) {
    const int64_t begin_ns = eb_now_ns();
    add_in_a_row();
    const int64_t spent_ns = eb_now_ns() - begin_ns;
    if (spent_ns < shortest_ns) shortest_ns = spent_ns;
  }
  eb_placement_back();
  return (double)IN_A_ROW * LOOPS * 1e9 / (double)shortest_ns;
}

int eb_clock_here(void) { return sched_getcpu(); }
