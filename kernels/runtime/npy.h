/* NumPy's .npy (version 1 to 3) and uncompressed .npz files. */
#ifndef EDGEBIN_RUNTIME_NPY_H
#define EDGEBIN_RUNTIME_NPY_H

#include "array.h"

/* Reads one array from `bytes` of .npy content; `name` is what it will be called, `origin` names the file in errors. */
eb_array eb_npy_parse(const uint8_t* content, size_t bytes, const char* name, const char* origin);

/* The .npy header of an array, a multiple of 64 bytes long; returns its length. */
#define EB_NPY_HEADER_BYTES 512
size_t eb_npy_header(const eb_array* array, char header[EB_NPY_HEADER_BYTES]);

/* Reads a .npz (all its arrays) or a .npy (one array, called `npy_name`), told apart by content. Ends the program on
 * damaged, compressed or unknown content. */
eb_arrays eb_arrays_read(const char* path, const char* npy_name);

/* Writes an uncompressed .npz, or a .npy when `path` ends so (then there must be one array). The file appears when it
 * is complete. */
void eb_arrays_write(const char* path, const eb_arrays* arrays);

#endif
