/* Epilogues by name, or spelt out.
 *
 * Spelt out, an epilogue is the fields of eb_epilogue that are there, a colon, what is stored, and after another colon
 * the pool: `scale,bias,residual0,slope,offset,threshold0:out,bits0:4`. A residual with fewer columns says by how much:
 * `residual0/4` has n / 4. epilogues.inc lists the names. */
#ifndef EDGEBIN_PROBE_EPILOGUES_H
#define EDGEBIN_PROBE_EPILOGUES_H

#include "call.h"

/* The epilogue of m x n values with random operands, and its results, which the call remembers. Ends the program with a
 * message if `out` is neither a name nor well-formed. */
eb_epilogue eb_make_epilogue(eb_call* call, const char* out, size_t m, size_t n);

#endif
