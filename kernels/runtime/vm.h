/* A compiled module in TVM's virtual machine, through the stable C ABI of tvm-ffi. C, not C++: a C++ program linked by
 * zig would bring a second C++ runtime into the process, and the two break each other. */
#ifndef EDGEBIN_RUNTIME_VM_H
#define EDGEBIN_RUNTIME_VM_H

#include <tvm/ffi/c_api.h>

#include "spec.h"

typedef struct {
  TVMFFIAny machine;
  TVMFFIAny entry;
  const eb_spec* spec;
  TVMFFIAny inputs[EB_MAX_ARRAYS]; /* tensors of one batch, which the fields below own */
  eb_array buffers[EB_MAX_ARRAYS]; /* their memory: fill these, then run */
  int64_t strides[EB_MAX_ARRAYS][EB_MAX_DIMENSIONS];
  DLManagedTensor tensors[EB_MAX_ARRAYS];
} eb_vm;

/* Sets how many threads TVM's pool has. With 1, everything runs in the calling thread. Call it before eb_vm_load. */
void eb_vm_set_threads(int threads);

/* Loads the module and its constants. `vm` must stay where it is. */
void eb_vm_load(eb_vm* vm, const char* module_path, const eb_spec* spec);

/* Runs the graph once on what lies in vm->buffers. With `outputs` (arrays of the spec's shapes) copies the results
 * there. */
void eb_vm_run(eb_vm* vm, eb_arrays* outputs);

/* Calls `callback` before and after each function that the machine runs; see TVMFFISafeCallType and
 * VirtualMachine::SetInstrument: arguments are function, name, before (bool), result, … */
void eb_vm_set_instrument(eb_vm* vm, TVMFFISafeCallType callback, void* self);

/* The text of a string argument; not terminated. */
TVMFFIByteArray eb_vm_text(const TVMFFIAny* value);

#endif
