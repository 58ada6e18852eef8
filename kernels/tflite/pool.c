#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct {
  void (*part)(void* call, size_t index);
  void* call;
  size_t count;
} eb_job;

struct eb_pool {
  size_t threads;       /* asked for */
  size_t workers;       /* started: one fewer */
  pthread_mutex_t user; /* held by the caller whose job it is */
  pthread_mutex_t lock; /* guards what follows, but for `next` */
  pthread_cond_t work, done;
  int closing;
  int open;       /* there is a job that workers may still join */
  size_t round;   /* counts jobs, so that a worker joins each once */
  size_t working; /* workers that joined and have not finished: one that wakes up late is not waited for */
  eb_job job;
  atomic_size_t next;
  pthread_t handles[];
};

static void work_on(eb_pool* pool, const eb_job* job) {
  for (size_t i = atomic_fetch_add(&pool->next, 1); i < job->count; i = atomic_fetch_add(&pool->next, 1)) {
    job->part(job->call, i);
  }
}

static void* worker(void* argument) {
  eb_pool* pool = argument;
  size_t seen = 0;
  pthread_mutex_lock(&pool->lock);
  for (;;) {
    while (!pool->closing && (!pool->open || pool->round == seen)) pthread_cond_wait(&pool->work, &pool->lock);
    if (pool->closing) break;
    seen = pool->round;
    pool->working++;
    const eb_job job = pool->job;
    pthread_mutex_unlock(&pool->lock);
    work_on(pool, &job);
    pthread_mutex_lock(&pool->lock);
    if (--pool->working == 0) pthread_cond_signal(&pool->done);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

eb_pool* eb_pool_create(int threads) {
  const size_t wanted = threads > 1 ? (size_t)threads : 1;
  eb_pool* pool = calloc(1, sizeof *pool + (wanted - 1) * sizeof *pool->handles);
  if (!pool) return NULL;
  pool->threads = wanted;
  pthread_mutex_init(&pool->user, NULL);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);
  for (; pool->workers < wanted - 1; pool->workers++) {
    if (pthread_create(&pool->handles[pool->workers], NULL, worker, pool) != 0) {
      eb_pool_destroy(pool);
      return NULL;
    }
  }
  return pool;
}

void eb_pool_destroy(eb_pool* pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->lock);
  pool->closing = 1;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < pool->workers; i++) pthread_join(pool->handles[i], NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->lock);
  pthread_mutex_destroy(&pool->user);
  free(pool);
}

size_t eb_pool_threads(const eb_pool* pool) { return pool->threads; }

void eb_pool_parallel_for(void* opaque, size_t count, void (*part)(void* call, size_t index), void* call) {
  eb_pool* pool = opaque;
  if (pool->workers == 0 || count < 2 || pthread_mutex_trylock(&pool->user) != 0) {
    for (size_t i = 0; i < count; i++) part(call, i);
    return;
  }
  pthread_mutex_lock(&pool->lock);
  pool->job = (eb_job){part, call, count};
  atomic_store(&pool->next, 0);
  pool->open = 1;
  pool->round++;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  const eb_job job = {part, call, count};
  work_on(pool, &job);
  pthread_mutex_lock(&pool->lock);
  pool->open = 0;
  while (pool->working) pthread_cond_wait(&pool->done, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
  pthread_mutex_unlock(&pool->user);
}
