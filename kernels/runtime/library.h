/* Shared libraries of the bundle, opened while the program runs. */
#ifndef EDGEBIN_RUNTIME_LIBRARY_H
#define EDGEBIN_RUNTIME_LIBRARY_H

/* Both end the program if there is no such thing; `path` is for the message. */
void* eb_library_open(const char* path);
void* eb_library_symbol(void* library, const char* name, const char* path);

#endif
