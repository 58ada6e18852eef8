/* Fields that a machine may not have. */
#ifndef EDGEBIN_AGENT_BOARD_FIELDS_H
#define EDGEBIN_AGENT_BOARD_FIELDS_H

#include <stdint.h>

/* null for NULL and for nothing; null for negative numbers. */
void eb_board_string(const char* key, const char* text);
void eb_board_integer(const char* key, int64_t value);

#endif
