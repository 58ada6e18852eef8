/* Paths of files on the board. Each function writes into `path` and returns it. */
#ifndef EDGEBIN_AGENT_PATHS_H
#define EDGEBIN_AGENT_PATHS_H

#include <limits.h>

/* FOLDER/NAME. */
char* eb_path_in(char path[PATH_MAX], const char* folder, const char* name);

/* The folder `levels` above a path. `path` and `of` may be the same. */
char* eb_path_parent(char path[PATH_MAX], const char* of, int levels);

/* This program. */
char* eb_path_program(char path[PATH_MAX]);

#endif
