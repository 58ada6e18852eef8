/* One kernel on one shape: is it exact, and how long does it take? */
#ifndef EDGEBIN_PROBE_KERNEL_H
#define EDGEBIN_PROBE_KERNEL_H

/* probe kernel|paced OP VARIANT OUT REPEATS DIM... Ends the program with a message where they do not fit.
 *
 * The first call is compared with `scalar`, bit for bit. Then the kernel is called once between the marks of
 * ../runtime/marks.h, as function 0 of one inference, so that an emulator counts this call and nothing else; then
 * REPEATS times, timed, without marks: they are system calls. REPEATS may be a time, such as 20ms: then calls are made
 * until it is over, at least one. Prints one line of JSON. With `paced` every line on stdin
 * asks for REPEATS more calls and one more line, so that a caller can take turns with others. */
int eb_probe_kernel(int argc, char** argv, int paced);

#endif
