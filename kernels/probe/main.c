/* The probe: a static program that tries kernels on the machine it runs on. Every command prints JSON, one object a
 * line; exit codes are those of edgebin/errors.py. It links every variant of its architecture and calls what it is told
 * to: whether the processor can run it is the caller's question. packed.c is the same as a library. */
#include "commands.h"

int main(int argc, char** argv) { return eb_probe_command(argc - 1, argv + 1); }
