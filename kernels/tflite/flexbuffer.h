/* Reads flexbuffer maps, the form that TFLite gives a custom op's options: {"k": 384, "operands": "scale bias"}.
 *
 * The bytes come from a file that nobody checked, so every offset is held against the size of the buffer. */
#ifndef EDGEBIN_TFLITE_FLEXBUFFER_H
#define EDGEBIN_TFLITE_FLEXBUFFER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  const uint8_t* data;
  size_t size;
  size_t count;           /* entries */
  size_t keys, key_width; /* position of the vector of keys, bytes of one offset in it */
  size_t values, width;   /* position of the values, bytes of one value; the bytes of types follow the values */
} eb_flex_map;

typedef enum { EB_FLEX_OK, EB_FLEX_ABSENT, EB_FLEX_MALFORMED } eb_flex_status;

/* Finds the map that a buffer holds. */
eb_flex_status eb_flex_open(eb_flex_map* map, const void* data, size_t size);

/* The value of a key, where there is one of that type: `value` is left alone otherwise. A number may be stored as an
 * integer or as a float. The text is terminated and lies in the buffer. */
eb_flex_status eb_flex_int(const eb_flex_map* map, const char* key, int64_t* value);
eb_flex_status eb_flex_float(const eb_flex_map* map, const char* key, float* value);
eb_flex_status eb_flex_text(const eb_flex_map* map, const char* key, const char** value);

#endif
