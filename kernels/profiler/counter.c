/* QEMU user-mode plugin: how often each translation block of an AArch64 guest ran, per region the guest marked.
 *
 * The guest marks by the system call of kernels/runtime/marks.h. Region 0 is everything outside marked inferences,
 * region EB_MARK_INFERENCE_BEGIN an inference outside its functions, region i + 1 function i inside an inference. A
 * system call ends a block, so no block straddles two regions and the counts are exact.
 *
 *   qemu-aarch64 -plugin counter.so,out=FILE[,skip=N] program ...
 *
 * The first N marked inferences count as outside, to leave out what only a first inference does.
 *
 * Debian packages QEMU 7.2 without its plugin header, so the few prototypes of plugin API version 1 that are needed
 * stand here. Counters are plain inline adds: guests must run one thread, and the file says how many ran (`vcpus`).
 *
 * FILE, little endian: "EBCOUNT1", u32 vcpus, u32 blocks, u32 regions, then
 *   per block   u64 address, u32 n, u32 words[n]
 *   per region  u32 id, u64 entries, u32 n, n times { u32 block, u64 count }
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/marks.h"

#define EB_EXPORT __attribute__((visibility("default")))
#define REGIONS (EB_MARK_INFERENCE_BEGIN + 1)
#define CHUNK 4096u

typedef uint64_t qemu_plugin_id_t;
typedef struct {
  const char* target_name;
  struct {
    int min, cur;
  } version;
  /* more fields follow */
} qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned));
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, int op, void* counter, uint64_t addend);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t,
                                          void (*)(qemu_plugin_id_t, unsigned vcpu, int64_t number, uint64_t a1,
                                                   uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,
                                                   uint64_t a7, uint64_t a8));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void*), void*);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn*);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn*);

EB_EXPORT int qemu_plugin_version = 1;

typedef struct {
  uint64_t address;
  uint32_t length;
  uint32_t* words;
} block_t;

typedef struct {
  uint64_t executed; /* written by translated code: its address must never move, hence chunks */
  uint64_t settled;
} counter_t;

typedef struct {
  uint64_t entries;
  uint64_t* counts; /* by block; NULL: never entered */
  uint32_t capacity;
} region_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block_t* blocks;
static counter_t** chunks;
static uint32_t block_count;
static region_t regions[REGIONS];
static uint32_t current, vcpus; /* current: a region */
static long skip;
static char* out_path;

static void die(const char* why) {
  fprintf(stderr, "counter: %s\n", why);
  abort();
}

static void* grow(void* old, size_t bytes) {
  void* grown = realloc(old, bytes);
  if (!grown) die("out of memory");
  return grown;
}

static counter_t* counter_of(uint32_t block) { return &chunks[block / CHUNK][block % CHUNK]; }

/* Adds what ran since the last call to the current region. */
static void settle(void) {
  region_t* region = &regions[current];
  if (region->capacity < block_count) {
    uint32_t capacity = (block_count / CHUNK + 1) * CHUNK;
    region->counts = grow(region->counts, capacity * sizeof(uint64_t));
    memset(region->counts + region->capacity, 0, (capacity - region->capacity) * sizeof(uint64_t));
    region->capacity = capacity;
  }
  for (uint32_t b = 0; b < block_count; b++) {
    counter_t* counter = counter_of(b);
    region->counts[b] += counter->executed - counter->settled;
    counter->settled = counter->executed;
  }
}

static uint32_t region_after(uint64_t mark) {
  if (mark == EB_MARK_INFERENCE_BEGIN) return skip-- > 0 ? 0 : EB_MARK_INFERENCE_BEGIN;
  if (mark == EB_MARK_INFERENCE_END || current == 0) return 0;
  if (mark > EB_MARK_INFERENCE_BEGIN) die("unknown mark");
  return mark == EB_MARK_NONE ? EB_MARK_INFERENCE_BEGIN : (uint32_t)mark;
}

static void on_syscall(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t mark, uint64_t a2, uint64_t a3,
                       uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)vcpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number != EB_MARK_SYSCALL) return;
  pthread_mutex_lock(&lock);
  settle();
  current = region_after(mark);
  regions[current].entries += mark != EB_MARK_NONE && mark != EB_MARK_INFERENCE_END;
  pthread_mutex_unlock(&lock);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  size_t length = qemu_plugin_tb_n_insns(tb);
  uint32_t* words = grow(NULL, length * sizeof(uint32_t));
  for (size_t i = 0; i < length; i++) memcpy(&words[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), 4);
  pthread_mutex_lock(&lock);
  uint32_t block = block_count;
  if (block % CHUNK == 0) {
    blocks = grow(blocks, (block + CHUNK) * sizeof(block_t));
    chunks = grow(chunks, (block / CHUNK + 1) * sizeof(counter_t*));
    chunks[block / CHUNK] = calloc(CHUNK, sizeof(counter_t));
    if (!chunks[block / CHUNK]) die("out of memory");
  }
  blocks[block] = (block_t){qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)), (uint32_t)length, words};
  block_count = block + 1;
  counter_t* counter = counter_of(block);
  pthread_mutex_unlock(&lock);
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &counter->executed, 1);
}

static void on_vcpu(qemu_plugin_id_t id, unsigned vcpu) {
  (void)id, (void)vcpu;
  pthread_mutex_lock(&lock);
  vcpus++;
  pthread_mutex_unlock(&lock);
}

static void put32(FILE* file, uint32_t value) { fwrite(&value, sizeof value, 1, file); }
static void put64(FILE* file, uint64_t value) { fwrite(&value, sizeof value, 1, file); }

static void write_region(FILE* file, uint32_t id) {
  const region_t* region = &regions[id];
  uint32_t used = 0;
  for (uint32_t b = 0; b < region->capacity; b++) used += region->counts[b] != 0;
  put32(file, id), put64(file, region->entries), put32(file, used);
  for (uint32_t b = 0; b < region->capacity; b++) {
    if (region->counts[b]) put32(file, b), put64(file, region->counts[b]);
  }
}

static void on_exit_(qemu_plugin_id_t id, void* unused) {
  (void)id, (void)unused;
  pthread_mutex_lock(&lock);
  settle();
  uint32_t region_count = 0;
  for (uint32_t r = 0; r < REGIONS; r++) region_count += regions[r].counts != NULL;
  FILE* file = fopen(out_path, "wb");
  if (!file) die("cannot write the output file");
  fwrite("EBCOUNT1", 8, 1, file);
  put32(file, vcpus), put32(file, block_count), put32(file, region_count);
  for (uint32_t b = 0; b < block_count; b++) {
    put64(file, blocks[b].address), put32(file, blocks[b].length);
    fwrite(blocks[b].words, sizeof(uint32_t), blocks[b].length, file);
  }
  for (uint32_t r = 0; r < REGIONS; r++) {
    if (regions[r].counts) write_region(file, r);
  }
  if (ferror(file) | fclose(file)) die("cannot write the output file");
  pthread_mutex_unlock(&lock);
}

EB_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc, char** argv) {
  for (int i = 0; i < argc; i++) {
    if (!strncmp(argv[i], "out=", 4)) out_path = strdup(argv[i] + 4);
    if (!strncmp(argv[i], "skip=", 5)) skip = atol(argv[i] + 5);
  }
  if (!out_path || strcmp(info->target_name, "aarch64")) {
    fprintf(stderr, "counter: needs out=FILE and an aarch64 guest\n");
    return -1;
  }
  qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
  qemu_plugin_register_atexit_cb(id, on_exit_, NULL);
  return 0;
}
