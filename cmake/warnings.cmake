# SPDX-License-Identifier: MIT
# What both gcc 12 and clang 14 accept, then what only one of them knows. scripts/build makes errors of them where it
# builds the tests. For C alone: the peers of the benchmark that are C++ are not ours.
set(warnings
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wredundant-decls
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wno-format-nonliteral -Wimplicit-fallthrough
  -Wdouble-promotion -Wnull-dereference)
if(CMAKE_SIZEOF_VOID_P EQUAL 8) # where long is shorter than off_t, gcc does not see that a remainder fits
  list(APPEND warnings -Wconversion -Wno-sign-conversion)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND warnings -Wduplicated-cond -Wduplicated-branches -Walloca -Wjump-misses-init)
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
  list(APPEND warnings -Wcomma -Wloop-analysis -Wunreachable-code-aggressive)
endif()
add_compile_options("$<$<COMPILE_LANGUAGE:C>:${warnings}>")
