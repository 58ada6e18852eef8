/* Runs the command that these words are; returns the exit code. */
#ifndef EDGEBIN_PROBE_COMMANDS_H
#define EDGEBIN_PROBE_COMMANDS_H

int eb_probe_command(int argc, char** argv);

#endif
