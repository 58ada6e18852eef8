/* Repeatable inputs, and weights in the layout of a variant. All memory stays until the program ends. */
#ifndef EDGEBIN_PROBE_VALUES_H
#define EDGEBIN_PROBE_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "variants.h"

/* What follows is drawn from the same numbers again. */
void eb_values_restart(void);

/* Between -2 and 2. */
float* eb_random_floats(size_t count);

/* Rows of k bits, each EB_BIT_ROW_BYTES(k) bytes, padding bits 0. */
uint8_t* eb_random_bits(size_t rows, size_t k);

/* Rows of words -> panels [ceil(n / nr)][words][nr]; a word of fewer than 8 bits takes a byte, the last
 * one is padded with zeros. `bytes`, if not NULL: how many bytes the panels take. */
void* eb_pack_panels(const void* rows, size_t n, size_t row_bytes, const eb_variant* variant, size_t* bytes);

/* Rows of k bits -> panels [ceil(n / nr)][k][nr / 8], bit by bit. */
void* eb_pack_bit_panels(const uint8_t* rows, size_t n, size_t k, const eb_variant* variant);

#endif
