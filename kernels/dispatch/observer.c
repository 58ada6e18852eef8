#include "observer.h"

#include <stdatomic.h>

/* The only state of this library. */
static _Atomic(edgebin_observer*) the_observer;
static _Atomic(void*) the_self;

void edgebin_observe(edgebin_observer* observer, void* self) {
  atomic_store(&the_observer, NULL);
  atomic_store(&the_self, self);
  atomic_store(&the_observer, observer);
}

void eb_observe_run(const char* name, const eb_tensor* outputs, size_t output_count, int after) {
  edgebin_observer* observer = atomic_load_explicit(&the_observer, memory_order_acquire);
  if (observer) observer(atomic_load(&the_self), name, outputs, output_count, after);
}
