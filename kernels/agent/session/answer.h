/* Reads what contenders print: one JSON object a line. Nothing of it is trusted. */
#ifndef EDGEBIN_AGENT_ANSWER_H
#define EDGEBIN_AGENT_ANSWER_H

#include <stdint.h>

/* Whether the text is one JSON object, in UTF-8, and nothing else. The functions below need that. */
int eb_answer_is_object(const char* text);

/* The member's whole number; 0 if there is none. */
int eb_answer_integer(const char* object, const char* key, int64_t* value);

/* The member's list of whole numbers, at most `room` of them; -1 if it is none, or has more. */
int64_t eb_answer_integers(const char* object, const char* key, int64_t* values, int64_t room);

#endif
