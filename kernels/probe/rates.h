/* How many instructions of a kind the processor starts per cycle, and after how many cycles their result is there. */
#ifndef EDGEBIN_PROBE_RATES_H
#define EDGEBIN_PROBE_RATES_H

#include <stdint.h>

/* `independent` runs `count` instructions, none of which waits for another (but for its own result, where it
 * accumulates, far enough apart); `dependent`, if not NULL, as many that wait for each other. Both are loops of `loops`
 * rounds of EB_RATE_BLOCK instructions. `feature`: what the processor must have, as /proc/cpuinfo names it; NULL: every
 * processor of the architecture has it. */
typedef struct {
  const char* name;
  const char* feature;
  void (*independent)(int64_t loops, void* memory);
  void (*dependent)(int64_t loops, void* memory);
} eb_instruction;

#define EB_RATE_BLOCK 48

/* Those of this architecture, up to one without a name. `memory`: EB_RATE_MEMORY bytes, 64-byte aligned. */
extern const eb_instruction kInstructions[];
#define EB_RATE_MEMORY 4096

/* A chain of `loops` x EB_RATE_BLOCK additions, one cycle each: the clock. */
void eb_add_chain(int64_t loops);

/* Nanoseconds of a cycle. */
double eb_cycle_ns(void);

/* probe rates: the clock, and rate and latency of each instruction. */
int eb_probe_rates(int argc, char** argv);

/* The loops of one instruction, for a file that has defined LOOP(text): `loops` rounds of it, with memory to go to. */
#define INDEPENDENT(name, text) \
  static void independent_##name(int64_t loops, void* memory) { LOOP(text); }
#define DEPENDENT(name, text) \
  static void dependent_##name(int64_t loops, void* memory) { LOOP(text); }

#endif
