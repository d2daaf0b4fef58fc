# SPDX-License-Identifier: MIT
# Another C library on the same processor and kernel: musl, with the libraries that tests/cross/libraries has built for it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER musl-gcc)
get_filename_component(libraries ${CMAKE_CURRENT_LIST_DIR}/../../build/musl/libraries ABSOLUTE)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/lib/pkgconfig)
set(LEAT_OPENSSL_INCLUDE ${libraries}/include CACHE PATH "")
set(LEAT_WITH_ARCHIVE OFF CACHE BOOL "") # so is its libarchive
set(LEAT_WITH_STORES OFF CACHE BOOL "") # Debian's libcurl is made for glibc
