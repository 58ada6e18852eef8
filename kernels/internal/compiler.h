/* What C11 cannot say and gcc and clang spell differently. */
#ifndef EDGEBIN_INTERNAL_COMPILER_H
#define EDGEBIN_INTERNAL_COMPILER_H

#define EB_INLINE static inline __attribute__((always_inline))
#define EB_NOINLINE static __attribute__((noinline))

/* Put before a loop of constant length over a register tile: unless it is unrolled, the tile lives in memory. */
#ifdef __clang__
#define EB_UNROLL _Pragma("clang loop unroll(full)")
#else
#define EB_UNROLL _Pragma("GCC unroll 64")
#endif

#define EB_CEIL_DIV(a, b) (((a) + (b) - 1) / (b))
#define EB_MIN(a, b) ((a) < (b) ? (a) : (b))

#define EB_CONCAT_(a, b) a##__##b
#define EB_CONCAT(a, b) EB_CONCAT_(a, b)
/* EB_SYMBOL(eb_rows) is eb_rows__neon in a file that defines EB_PATH as neon. */
#define EB_SYMBOL(name) EB_CONCAT(name, EB_PATH)

#endif
