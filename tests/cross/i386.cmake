# SPDX-License-Identifier: MIT
# 32 bits on a processor of 64 bits, whose kernel runs these programs as they are: the program itself says where its libraries are.
set(architecture i386)
set(triplet i686-linux-gnu)
set(multiarch i386-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--dynamic-linker=${root}/lib/ld-linux.so.2,--disable-new-dtags,-rpath=${root}/lib/${multiarch},-rpath=${root}/usr/lib/${multiarch}")
