#include "board.h"

#include <stddef.h>

#include "../runtime/json.h"
#include "board/parts.h"

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

void eb_board_report(const char* root, const char* folder) {
  eb_board_identity(root);
  eb_board_userland(root);
  eb_board_processors(root);
  eb_board_room(root, folder);
  eb_board_strain(root);
  eb_board_changeable(root, folder);
}
