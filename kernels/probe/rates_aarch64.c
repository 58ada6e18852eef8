/* Instructions of aarch64, named as in the rates of targets/cores. Independent ones write v0 to v23 in turn and read
 * v30 and v31; dependent ones read and write v0. */
#include "rates.h"

#if defined(__aarch64__)

#define TURNS "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23"
#define CLOBBERED                                                                                                     \
  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", \
      "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v30", "v31", "cc", "memory"

/* Two rounds of 24 instructions; d is the register in turn. */
#define LOOP(text)                                                                                   \
  __asm__ volatile(".arch armv8.2-a+fp16+dotprod\n.p2align 4\n1:\n.irp d," TURNS "," TURNS "\n" text \
                   "\n.endr\nsubs %0, %0, #1\nb.ne 1b\n"                                             \
                   : "+r"(loops)                                                                     \
                   : "r"(memory)                                                                     \
                   : CLOBBERED)

/* An operation of one or two sources that overwrites its destination; and one that reads it. */
#define UNARY(name, op, of, to)                     \
  INDEPENDENT(name, op " v\\d\\()." to ", v30." of) \
  DEPENDENT(name, op " v0." to ", v0." of)
#define BINARY(name, op, t)                                  \
  INDEPENDENT(name, op " v\\d\\()." t ", v30." t ", v31." t) \
  DEPENDENT(name, op " v0." t ", v0." t ", v31." t)
#define ACCUMULATE(name, op, to, sources)            \
  INDEPENDENT(name, op " v\\d\\()." to ", " sources) \
  DEPENDENT(name, op " v0." to ", " sources)

BINARY(eor, "eor", "16b")
UNARY(cnt, "cnt", "16b", "16b")
BINARY(add, "add", "16b")
BINARY(addp, "addp", "16b")
UNARY(uaddlp, "uaddlp", "16b", "8h")
ACCUMULATE(uadalp, "uadalp", "8h", "v30.16b")
INDEPENDENT(addv, "addv b\\d, v30.16b")
ACCUMULATE(bsl, "bsl", "16b", "v30.16b, v31.16b")
INDEPENDENT(shift, "ushr v\\d\\().8h, v30.8h, #4")
DEPENDENT(shift, "ushr v0.8h, v0.8h, #4")
ACCUMULATE(usra, "usra", "8h", "v30.8h, #4")
ACCUMULATE(sri, "sri", "8h", "v30.8h, #4")
INDEPENDENT(tbl, "tbl v\\d\\().16b, {v30.16b}, v31.16b")
DEPENDENT(tbl, "tbl v0.16b, {v30.16b}, v0.16b")
INDEPENDENT(tbl2, "tbl v\\d\\().16b, {v30.16b, v31.16b}, v30.16b")
DEPENDENT(tbl2, "tbl v0.16b, {v30.16b, v31.16b}, v0.16b")
UNARY(ucvtf, "ucvtf", "4s", "4s")
ACCUMULATE(fmla, "fmla", "4s", "v30.4s, v31.4s")
ACCUMULATE(fmla_fp16, "fmla", "8h", "v30.8h, v31.8h")
ACCUMULATE(udot, "udot", "4s", "v30.16b, v31.16b")
INDEPENDENT(ldr_q, "ldr q\\d, [%1, #(16 * \\d)]")
INDEPENDENT(ld1r, "ld1r {v\\d\\().16b}, [%1]")
INDEPENDENT(ld1x4, "ld1 {v24.16b, v25.16b, v26.16b, v27.16b}, [%1]")
INDEPENDENT(str_q, "str q\\d, [%1, #(16 * \\d)]")

#define ENTRY(name) {#name, 0, independent_##name, dependent_##name}
#define WITHOUT_LATENCY(name) {#name, 0, independent_##name, 0}

const eb_instruction kInstructions[] = {
    ENTRY(eor),
    ENTRY(cnt),
    ENTRY(add),
    ENTRY(addp),
    ENTRY(uaddlp),
    ENTRY(uadalp),
    WITHOUT_LATENCY(addv),
    ENTRY(bsl),
    ENTRY(shift),
    ENTRY(usra),
    ENTRY(sri),
    ENTRY(tbl),
    ENTRY(tbl2),
    ENTRY(ucvtf),
    ENTRY(fmla),
    {"fmla_fp16", "asimdhp", independent_fmla_fp16, dependent_fmla_fp16},
    {"udot", "asimddp", independent_udot, dependent_udot},
    WITHOUT_LATENCY(ldr_q),
    WITHOUT_LATENCY(ld1r),
    WITHOUT_LATENCY(ld1x4),
    WITHOUT_LATENCY(str_q),
    {0, 0, 0, 0},
};

void eb_add_chain(int64_t loops) {
  uint64_t sum = 0;
  __asm__ volatile(".p2align 4\n1:\n.rept 48\nadd %1, %1, %1\n.endr\nsubs %0, %0, #1\nb.ne 1b\n"
                   : "+r"(loops), "+r"(sum)
                   :
                   : "cc");
}

#endif
