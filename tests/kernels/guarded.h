/* Buffers between two pages that no one may touch, flush against one of them. Bytes beyond the buffer on its other side
 * hold a pattern: a write there is found by guarded_free, a read by running the case on the other side as well. */
#ifndef EDGEBIN_TESTS_GUARDED_H
#define EDGEBIN_TESTS_GUARDED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef enum { FLUSH_UPPER, FLUSH_LOWER, SIDES } guard_side;

#define MAX_BUFFERS 64
#define CANARY 0xC5

typedef struct {
  uint8_t* mapping;
  size_t mapping_bytes;
  uint8_t* data;
  size_t bytes;
} guarded;

static guarded guarded_buffers[MAX_BUFFERS];
static size_t guarded_count;
static guard_side guarded_side;

/* `bytes` bytes at a multiple of `alignment`, filled with the pattern. */
static void* guarded_alloc(size_t bytes, size_t alignment) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t inner = (bytes + page - 1) / page * page + (bytes == 0 ? page : 0);
  uint8_t* mapping = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED || mprotect(mapping + page, inner, PROT_READ | PROT_WRITE) ||
      guarded_count == MAX_BUFFERS) {
    perror("guarded_alloc");
    exit(2);
  }
  memset(mapping + page, CANARY, inner);
  const size_t offset = guarded_side == FLUSH_UPPER ? (inner - bytes) / alignment * alignment : 0;
  guarded_buffers[guarded_count++] = (guarded){mapping, inner + 2 * page, mapping + page + offset, bytes};
  return mapping + page + offset;
}

/* Frees all buffers; returns how many had been written beyond their end or before their start. */
static int guarded_free_all(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  int damaged = 0;
  while (guarded_count) {
    const guarded* b = &guarded_buffers[--guarded_count];
    int hit = 0;
    for (uint8_t* p = b->mapping + page; p < b->mapping + b->mapping_bytes - page; p++) {
      hit |= (p < b->data || p >= b->data + b->bytes) && *p != CANARY;
    }
    damaged += hit;
    munmap(b->mapping, b->mapping_bytes);
  }
  return damaged;
}

#endif
