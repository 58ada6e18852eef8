/* EB_DOTPROD_BEGIN .. EB_DOTPROD_END: UDOT may be used in between, whatever core the command line names. */
#ifndef EDGEBIN_INTERNAL_DOTPROD_H
#define EDGEBIN_INTERNAL_DOTPROD_H

#ifdef __clang__
#define EB_DOTPROD_BEGIN _Pragma("clang attribute push(__attribute__((target(\"dotprod\"))), apply_to = function)")
#define EB_DOTPROD_END _Pragma("clang attribute pop")
#else
#define EB_DOTPROD_BEGIN _Pragma("GCC push_options") _Pragma("GCC target(\"arch=armv8.2-a+dotprod\")")
#define EB_DOTPROD_END _Pragma("GCC pop_options")
#endif

#endif
