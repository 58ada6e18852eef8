#include "fields.h"

#include <stddef.h>

#include "../../runtime/json.h"

void eb_board_string(const char* key, const char* text) {
  if (text && *text) {
    eb_json_string(key, text);
  } else {
    eb_json_null(key);
  }
}

void eb_board_integer(const char* key, int64_t value) {
  if (value >= 0) {
    eb_json_integer(key, value);
  } else {
    eb_json_null(key);
  }
}
