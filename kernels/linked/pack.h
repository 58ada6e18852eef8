/* Weights in the layout of a variant: C's twin of edgebin/kernels/layout.py. A right-hand side that is only known at
 * run time is packed by f32-gemm/pack.h. */
#ifndef EDGEBIN_LINKED_PACK_H
#define EDGEBIN_LINKED_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "variants.h"

/* Rows of words -> panels [ceil(n / nr)][words][nr]; a word of fewer than 8 bits takes a byte, the last one is padded
 * with zeros. For the bits of b1_gemm and w1i8_gemm and the floats of f32_gemm. The first returns the panels' bytes;
 * the second wants them all 0. */
size_t eb_panel_bytes(size_t n, size_t row_bytes, const eb_variant* variant);
void eb_pack_panels(const void* rows, size_t n, size_t row_bytes, const eb_variant* variant, void* panels);

/* Rows of k bits, EB_BIT_ROW_BYTES(k) bytes each -> panels [ceil(n / nr)][k][nr / 8], bit by bit, for w1_gemm. */
size_t eb_bit_panel_bytes(size_t n, size_t k, const eb_variant* variant);
void eb_pack_bit_panels(const uint8_t* rows, size_t n, size_t k, const eb_variant* variant, void* panels);

/* The panels of n / groups rows each, group after group, for b1_conv. */
size_t eb_group_panel_bytes(size_t n, size_t row_bytes, size_t groups, const eb_variant* variant);
void eb_pack_group_panels(const uint8_t* rows, size_t n, size_t row_bytes, size_t groups, const eb_variant* variant,
                          void* panels);

#endif
