# SPDX-License-Identifier: MIT
# 64-bit ARM, under qemu.
set(architecture arm64)
set(triplet aarch64-linux-gnu)
set(multiarch ${triplet})
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
set(LEAT_UNIT_RUNNER "qemu-aarch64-static;-L;${root}" CACHE STRING "")
