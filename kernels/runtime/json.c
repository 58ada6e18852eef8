#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

static int separate; /* a comma is due before the next item */

static void put_string(const char* text) {
  putchar('"');
  for (const unsigned char* c = (const unsigned char*)text; *c; c++) {
    if (*c == '"' || *c == '\\') {
      printf("\\%c", *c);
    } else if (*c < 0x20) {
      printf("\\u%04x", *c);
    } else {
      putchar(*c);
    }
  }
  putchar('"');
}

static void put_key(const char* key) {
  if (separate) putchar(',');
  separate = 1;
  if (!key) return;
  put_string(key);
  putchar(':');
}

void eb_json_begin(void) {
  putchar('{');
  separate = 0;
}

void eb_json_end(void) {
  puts("}");
  fflush(stdout);
}

void eb_json_integer(const char* key, int64_t value) {
  put_key(key);
  printf("%" PRId64, value);
}

static void put_number(double value) {
  if (isfinite(value)) {
    printf("%.17g", value);
  } else {
    fputs("null", stdout);
  }
}

void eb_json_number(const char* key, double value) {
  put_key(key);
  put_number(value);
}

void eb_json_numbers(const char* key, const double* values, int64_t count) {
  put_key(key);
  putchar('[');
  for (int64_t i = 0; i < count; i++) {
    if (i) putchar(',');
    put_number(values[i]);
  }
  putchar(']');
}

void eb_json_boolean(const char* key, int value) {
  put_key(key);
  fputs(value ? "true" : "false", stdout);
}

void eb_json_string(const char* key, const char* value) {
  put_key(key);
  put_string(value);
}

void eb_json_integers(const char* key, const int64_t* values, int64_t count) {
  put_key(key);
  putchar('[');
  for (int64_t i = 0; i < count; i++) printf(i ? ",%" PRId64 : "%" PRId64, values[i]);
  putchar(']');
}

void eb_json_open_list(const char* key) {
  put_key(key);
  putchar('[');
  separate = 0;
}

void eb_json_open_object(const char* key) {
  put_key(key);
  putchar('{');
  separate = 0;
}

void eb_json_close_object(void) {
  putchar('}');
  separate = 1;
}

void eb_json_close_list(void) {
  putchar(']');
  separate = 1;
}
