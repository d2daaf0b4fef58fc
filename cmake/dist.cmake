# SPDX-License-Identifier: MIT
# `cmake --build build --target dist` writes the release tarball to the build folder.
add_custom_target(dist COMMAND ${PROJECT_SOURCE_DIR}/scripts/dist ${PROJECT_BINARY_DIR} USES_TERMINAL VERBATIM)
