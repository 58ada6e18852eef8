/* How look-up tables lie in the workspace: [group of 4 of k][row of a tile][low 16, high 16] bytes. A step is what
 * build_step(a, tables) makes of 32 bytes of a row; what lies beyond k is 0. */
#define TILE_ROWS 4
#define TABLE_BYTES 32
#define GROUP_BYTES (TILE_ROWS * TABLE_BYTES)
#define STEP_GROUPS 8
