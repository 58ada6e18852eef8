/* Repeatable inputs. All memory stays until the program ends. */
#ifndef EDGEBIN_PROBE_VALUES_H
#define EDGEBIN_PROBE_VALUES_H

#include <stddef.h>
#include <stdint.h>

/* What follows is drawn from the same numbers again. */
void eb_values_restart(void);

/* Between -2 and 2. */
float* eb_random_floats(size_t count);

/* Rows of k bits, each EB_BIT_ROW_BYTES(k) bytes, padding bits 0. */
uint8_t* eb_random_bits(size_t rows, size_t k);

#endif
