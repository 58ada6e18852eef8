/* The machine that the agent runs on. docs/board.md has the fields. */
#ifndef EDGEBIN_AGENT_BOARD_H
#define EDGEBIN_AGENT_BOARD_H

/* Writes what the machine is, and how it does, into the open JSON object. `root` goes before every path, "" for the
 * machine itself. `folder` is that of edgebin on the board, whose file system is looked at; NULL for the current one.
 */
void eb_board_report(const char* root, const char* folder);

#endif
