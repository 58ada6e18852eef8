/* Marks by which an emulator can tell which kernel is running (runner option --mark).
 *
 * A mark is the system call EB_MARK_SYSCALL with one argument. No Linux has a system call of this number: it returns
 * -ENOSYS and changes nothing, on a board as under QEMU, where a plugin sees it through
 * qemu_plugin_register_vcpu_syscall_cb.
 *
 * - EB_MARK_INFERENCE_BEGIN: one run of the whole graph begins.
 *
 * - i + 1: from here on function i runs; i is its position in the "functions" list of the runner's JSON.
 *
 * - EB_MARK_NONE: from here on no function runs (the virtual machine's own work).
 *
 * - EB_MARK_INFERENCE_END: the run has ended.
 *
 * Functions may nest: when an inner one ends, the mark is that of the outer one again. The marks come from the thread
 * that runs the graph; with --threads 1 all kernels run in it. */
#ifndef EDGEBIN_RUNTIME_MARKS_H
#define EDGEBIN_RUNTIME_MARKS_H

#include <unistd.h>

#define EB_MARK_SYSCALL 0x4542
#define EB_MARK_NONE 0
#define EB_MARK_INFERENCE_BEGIN 0x10000
#define EB_MARK_INFERENCE_END 0x10001

static inline void eb_mark(long value) { syscall(EB_MARK_SYSCALL, value); }

#endif
