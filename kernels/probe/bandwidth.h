/* How fast one core reads, writes and copies memory. */
#ifndef EDGEBIN_PROBE_BANDWIDTH_H
#define EDGEBIN_PROBE_BANDWIDTH_H

/* probe bandwidth: bytes per second for buffers from 16 KiB (first-level cache) to 64 MiB (memory). A copy of n bytes
 * counts n. */
int eb_probe_bandwidth(int argc, char** argv);

#endif
