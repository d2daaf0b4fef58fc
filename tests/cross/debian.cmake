# SPDX-License-Identifier: MIT
# Debian's compiler for another architecture, with the libraries that tests/cross/root has unpacked. Included by the toolchain
# file of an architecture, with `triplet` (as the compiler's name has it) and `multiarch` (as folders have it).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/../../build/${architecture}/root ABSOLUTE)
set(CMAKE_SYSROOT ${root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${root})
set(ENV{PKG_CONFIG_LIBDIR} ${root}/usr/lib/${multiarch}/pkgconfig:${root}/usr/share/pkgconfig)
