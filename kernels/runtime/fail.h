/* Ending with one clear message. The exit codes are those of edgebin/errors.py. */
#ifndef EDGEBIN_RUNTIME_FAIL_H
#define EDGEBIN_RUNTIME_FAIL_H

#include <stddef.h>

enum { EB_EXIT_OK = 0, EB_EXIT_UNFORESEEN = 1, EB_EXIT_INPUT = 2, EB_EXIT_VERIFICATION = 3 };

/* Prints "error: …" on stderr and ends the program with `exit_code`. */
_Noreturn void eb_fail(int exit_code, const char* format, ...) __attribute__((format(printf, 2, 3)));

/* Called before the program ends in this way, to leave nothing behind. A failure in there calls it again, so that what
 * comes after that is done as well: each of its steps has to note that it was begun. */
void eb_on_fail(void (*listener)(int exit_code, const char* message));

/* Memory, or the end. The aligned form is for tensors: TVM's code wants 64 bytes. Both return zeroed memory. */
void* eb_allocate(size_t bytes);
void* eb_allocate_aligned(size_t bytes);

#endif
