/* Stands in until the real one is merged. */
#include "board.h"

#include "../runtime/json.h"

void eb_board_report(const char* root, const char* folder) {
  (void)root;
  (void)folder;
  eb_json_null("model");
}
