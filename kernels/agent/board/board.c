#include "board.h"

#include "parts.h"

void eb_board_report(const char* root, const char* folder) {
  eb_board_identity(root);
  eb_board_userland(root);
  eb_board_processors(root);
  eb_board_room(root, folder);
  eb_board_strain(root);
  eb_board_changeable(root, folder);
}
