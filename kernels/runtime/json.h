/* JSON on stdout, or another stream, one line per object, flushed at its end. Keys come in the order they are written.
 */
#ifndef EDGEBIN_RUNTIME_JSON_H
#define EDGEBIN_RUNTIME_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Where all that follows goes; NULL for stdout. */
void eb_json_to(FILE* stream);

void eb_json_begin(void);
void eb_json_end(void);

void eb_json_integer(const char* key, int64_t value);
void eb_json_number(const char* key, double value); /* null when not finite */
void eb_json_boolean(const char* key, int value);
void eb_json_null(const char* key);
/* Bytes that are no UTF-8 become U+FFFD: what other programs say is passed on. */
void eb_json_string(const char* key, const char* value);
void eb_json_text(const char* key, const char* text, size_t length);        /* which may hold zeros */
void eb_json_raw(const char* key, const char* json);                        /* a value that is JSON already */
void eb_json_numbers(const char* key, const double* values, int64_t count); /* null where not finite */
void eb_json_integers(const char* key, const int64_t* values, int64_t count);

/* Bytes of the UTF-8 character that `text` begins with, of which `room` bytes are there; 0 if it begins with none. */
size_t eb_json_utf8(const char* text, size_t room);

/* Objects in a list: open the list, then begin and end each object. */
void eb_json_open_list(const char* key);
void eb_json_open_object(const char* key); /* key NULL inside a list */
void eb_json_close_object(void);
void eb_json_close_list(void);

#endif
