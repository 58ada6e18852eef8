#include "answer.h"

#include <stddef.h>
#include <string.h>

#include "../../runtime/json.h"

#define MAX_DEPTH 64

/* Answers hold millions of times in one line. So nothing here calls a function of the C library that may look for the
 * end of its text, as zig's strtoll does: all of them together would take the square of the line's length. */

/* Each of these returns what follows, or NULL where the text is not JSON. Source: RFC 8259. */
static const char* skip_value(const char* at, int depth);

static const char* skip_space(const char* at) {
  while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') at++;
  return at;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static const char* skip_string(const char* at) {
  if (*at++ != '"') return NULL;
  const char* end = at + strlen(at);
  while (*at != '"') {
    const size_t length = eb_json_utf8(at, (size_t)(end - at));
    if (!length || (unsigned char)*at < 0x20) return NULL;
    if (*at == '\\') {
      at++;
      if (!*at || !strchr("\"\\/bfnrtu", *at)) return NULL;
      if (*at == 'u') {
        if (strspn(at + 1, "0123456789abcdefABCDEF") < 4) return NULL;
        at += 4;
      }
      at++;
    } else {
      at += length;
    }
  }
  return at + 1;
}

static const char* skip_digits(const char* at) {
  if (!is_digit(*at)) return NULL;
  while (is_digit(*at)) at++;
  return at;
}

static const char* skip_number(const char* at) {
  if (*at == '-') at++;
  at = *at == '0' ? at + 1 : skip_digits(at);
  if (at && *at == '.') at = skip_digits(at + 1);
  if (at && (*at == 'e' || *at == 'E')) {
    at++;
    if (*at == '+' || *at == '-') at++;
    at = skip_digits(at);
  }
  return at;
}

static const char* skip_word(const char* at, const char* word) {
  return strncmp(at, word, strlen(word)) ? NULL : at + strlen(word);
}

/* What follows the opening bracket of a list or an object. */
static const char* skip_items(const char* at, int in_object, int depth) {
  const char close = in_object ? '}' : ']';
  at = skip_space(at);
  if (*at == close) return at + 1;
  for (;;) {
    if (in_object) {
      at = skip_string(skip_space(at));
      if (!at) return NULL;
      at = skip_space(at);
      if (*at++ != ':') return NULL;
    }
    at = skip_value(skip_space(at), depth);
    if (!at) return NULL;
    at = skip_space(at);
    if (*at == close) return at + 1;
    if (*at++ != ',') return NULL;
  }
}

static const char* skip_value(const char* at, int depth) {
  if (depth > MAX_DEPTH) return NULL;
  switch (*at) {
    case '{':
    case '[':
      return skip_items(at + 1, *at == '{', depth + 1);
    case '"':
      return skip_string(at);
    case 't':
      return skip_word(at, "true");
    case 'f':
      return skip_word(at, "false");
    case 'n':
      return skip_word(at, "null");
    default:
      return skip_number(at);
  }
}

int eb_answer_is_object(const char* text) {
  const char* at = skip_space(text);
  if (*at != '{') return 0;
  at = skip_value(at, 0);
  return at && !*skip_space(at);
}

static const char* find(const char* object, const char* key) {
  const size_t length = strlen(key);
  const char* at = skip_space(skip_space(object) + 1);
  while (*at == '"') {
    const int found = !strncmp(at + 1, key, length) && at[1 + length] == '"';
    at = skip_space(skip_space(skip_string(at)) + 1);
    if (found) return at;
    at = skip_space(skip_value(at, 0));
    if (*at == ',') at = skip_space(at + 1);
  }
  return NULL;
}

/* Returns what follows the number; NULL if it is none, not whole, or too large. */
static const char* whole_number(const char* at, int64_t* value) {
  const int negative = *at == '-';
  if (negative) at++;
  if (!is_digit(*at)) return NULL;
  *value = 0;
  for (; is_digit(*at); at++) {
    if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, *at - '0', value)) return NULL;
  }
  if (negative) *value = -*value;
  return *at == '.' || *at == 'e' || *at == 'E' ? NULL : at;
}

int eb_answer_integer(const char* object, const char* key, int64_t* value) {
  const char* at = find(object, key);
  return at && whole_number(at, value) != NULL;
}

int64_t eb_answer_integers(const char* object, const char* key, int64_t* values, int64_t room) {
  const char* at = find(object, key);
  if (!at || *at != '[') return -1;
  int64_t count = 0;
  for (at = skip_space(at + 1); *at != ']'; count++) {
    if (count == room) return -1;
    at = whole_number(at, &values[count]);
    if (!at) return -1;
    at = skip_space(at);
    if (*at == ',') at = skip_space(at + 1);
  }
  return count;
}
