/* Reads damaged flexbuffers: `flexbuffer_test FILE ROUNDS` changes and cuts the file's bytes, each time in memory that
 * ends at a page which no one may touch, and asks for every key. Prints how many rounds were malformed throughout. */
#define _GNU_SOURCE
#include "../../kernels/tflite/flexbuffer.h"

#include "../kernels/guarded.h"

static uint64_t state = 1;
static uint64_t draw(uint64_t below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (state >> 33) % below;
}

static const char* const keys[] = {"epsilon", "k", "operands", "pool", "results", "none", ""};

/* Whether something could be read. */
static int read_all(const uint8_t* data, size_t size) {
  eb_flex_map map;
  int found = 0;
  if (eb_flex_open(&map, data, size) != EB_FLEX_OK) return 0;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    int64_t whole;
    float number;
    const char* text = "";
    found += eb_flex_int(&map, keys[i], &whole) == EB_FLEX_OK;
    found += eb_flex_float(&map, keys[i], &number) == EB_FLEX_OK;
    if (eb_flex_text(&map, keys[i], &text) == EB_FLEX_OK) found += strlen(text) < size;
  }
  return found;
}

int main(int argc, char** argv) {
  static uint8_t original[4096];
  FILE* file = argc == 3 ? fopen(argv[1], "rb") : NULL;
  if (!file) return 2;
  const size_t size = fread(original, 1, sizeof original, file);
  fclose(file);
  if (!read_all(original, size)) return 3;
  long unreadable = 0;
  for (long round = 0; round < atol(argv[2]); round++) {
    guarded_side = (guard_side)(round % SIDES);
    const size_t length = draw(3) ? size : draw(size + 1);
    uint8_t* data = guarded_alloc(length, 1);
    memcpy(data, draw(2) ? original : original + size - length, length);
    for (uint64_t changes = draw(4); length && changes; changes--) data[draw(length)] = (uint8_t)draw(256);
    unreadable += !read_all(data, length);
    if (guarded_free_all()) return 4;
  }
  printf("%ld\n", unreadable);
  return 0;
}
