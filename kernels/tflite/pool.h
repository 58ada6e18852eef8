/* Threads for the kernels: TFLite gives custom ops none. */
#ifndef EDGEBIN_TFLITE_POOL_H
#define EDGEBIN_TFLITE_POOL_H

#include <stddef.h>

typedef struct eb_pool eb_pool;

/* A pool in which `threads` threads work, the calling one included; with 1 none is started. NULL: out of memory, or of
 * threads. */
eb_pool* eb_pool_create(int threads);
void eb_pool_destroy(eb_pool* pool);

size_t eb_pool_threads(const eb_pool* pool);

/* An eb_parallel_for of kernels/dispatch/dispatch.h whose `pool` is an eb_pool. Calls from several threads at a time
 * are all right: one gets the pool, the others work alone. */
void eb_pool_parallel_for(void* pool, size_t count, void (*part)(void* call, size_t index), void* call);

#endif
