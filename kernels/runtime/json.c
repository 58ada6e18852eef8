#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static FILE* stream; /* NULL: stdout */
static int separate; /* a comma is due before the next item */

static FILE* out(void) { return stream ? stream : stdout; }

void eb_json_to(FILE* to) { stream = to; }

/* Source: the Unicode Standard, table 3-7. */
size_t eb_json_utf8(const char* from, size_t room) {
  const unsigned char* text = (const unsigned char*)from;
  if (text[0] < 0x80) return 1;
  const size_t length = text[0] >= 0xc2 && text[0] < 0xe0 ? 2 : text[0] >= 0xe0 && text[0] < 0xf0 ? 3 : 4;
  if (text[0] < 0xc2 || text[0] > 0xf4 || length > room) return 0;
  const unsigned char least = text[0] == 0xe0 ? 0xa0 : text[0] == 0xf0 ? 0x90 : 0x80;
  const unsigned char most = text[0] == 0xed ? 0x9f : text[0] == 0xf4 ? 0x8f : 0xbf;
  if (text[1] < least || text[1] > most) return 0;
  for (size_t i = 2; i < length; i++) {
    if (text[i] < 0x80 || text[i] > 0xbf) return 0;
  }
  return length;
}

static void put_text(const char* text, size_t length) {
  putc('"', out());
  for (size_t i = 0, step; i < length; i += step) {
    step = eb_json_utf8(text + i, length - i);
    if (!step) {
      fputs("\xef\xbf\xbd", out()); /* the character for what is none */
      step = 1;
    } else if (text[i] == '"' || text[i] == '\\') {
      fprintf(out(), "\\%c", text[i]);
    } else if ((unsigned char)text[i] < 0x20) {
      fprintf(out(), "\\u%04x", text[i]);
    } else {
      fwrite(text + i, 1, step, out());
    }
  }
  putc('"', out());
}

static void put_key(const char* key) {
  if (separate) putc(',', out());
  separate = 1;
  if (!key) return;
  put_text(key, strlen(key));
  putc(':', out());
}

void eb_json_begin(void) {
  putc('{', out());
  separate = 0;
}

void eb_json_end(void) {
  fputs("}\n", out());
  fflush(out());
}

void eb_json_integer(const char* key, int64_t value) {
  put_key(key);
  fprintf(out(), "%" PRId64, value);
}

static void put_number(double value) {
  if (isfinite(value)) {
    fprintf(out(), "%.17g", value);
  } else {
    fputs("null", out());
  }
}

void eb_json_number(const char* key, double value) {
  put_key(key);
  put_number(value);
}

void eb_json_numbers(const char* key, const double* values, int64_t count) {
  put_key(key);
  putc('[', out());
  for (int64_t i = 0; i < count; i++) {
    if (i) putc(',', out());
    put_number(values[i]);
  }
  putc(']', out());
}

void eb_json_boolean(const char* key, int value) {
  put_key(key);
  fputs(value ? "true" : "false", out());
}

void eb_json_string(const char* key, const char* value) { eb_json_text(key, value, strlen(value)); }

void eb_json_text(const char* key, const char* text, size_t length) {
  put_key(key);
  put_text(text, length);
}

void eb_json_raw(const char* key, const char* json) {
  put_key(key);
  fputs(json, out());
}

void eb_json_null(const char* key) { eb_json_raw(key, "null"); }

void eb_json_integers(const char* key, const int64_t* values, int64_t count) {
  put_key(key);
  putc('[', out());
  for (int64_t i = 0; i < count; i++) fprintf(out(), i ? ",%" PRId64 : "%" PRId64, values[i]);
  putc(']', out());
}

void eb_json_open_list(const char* key) {
  put_key(key);
  putc('[', out());
  separate = 0;
}

void eb_json_open_object(const char* key) {
  put_key(key);
  putc('{', out());
  separate = 0;
}

void eb_json_close_object(void) {
  putc('}', out());
  separate = 1;
}

void eb_json_close_list(void) {
  putc(']', out());
  separate = 1;
}
