# SPDX-License-Identifier: MIT
"""The recipe of leat for Conan 2."""
from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, get, rm, rmdir
from conan.tools.gnu import PkgConfigDeps


class LeatConan(ConanFile):
    name = "leat"
    version = "@VERSION@"
    description = "Moves bytes between descriptors by the cheapest way that the kernel allows"
    license = "MIT"
    homepage = "@HOME@"
    topics = ("copy", "splice", "io_uring", "pipeline", "digest")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "stores": [True, False], "archive": [True, False], "uring": [True, False]}
    default_options = {"shared": False, "stores": True, "archive": True, "uring": True}

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("leat runs on Linux")

    def configure(self):
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def layout(self):
        cmake_layout(self, src_folder="src")

    # libcrypto, libcurl, expat and libarchive are loaded at run time: only their headers are needed.
    def requirements(self):
        self.requires("jansson/[>=2.13]")
        self.requires("xxhash/[>=0.8]")
        self.requires("zlib/[>=1.2.11 <2]")
        self.requires("zstd/[>=1.4 <2]")
        self.requires("openssl/[>=1.1 <4]", libs=False)
        if self.options.uring:
            self.requires("liburing/[>=2.1]")
        if self.options.stores:
            self.requires("libcurl/[>=7.68]", libs=False)
            self.requires("expat/[>=2.2]", libs=False)
        if self.options.stores and self.options.archive:
            self.requires("libarchive/[>=3.4]", libs=False)

    def source(self):
        get(self, **self.conan_data["sources"][self.version], strip_root=True)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.variables["LEAT_TESTS"] = "OFF"
        toolchain.variables["LEAT_WITH_STORES"] = bool(self.options.stores)
        toolchain.variables["LEAT_WITH_ARCHIVE"] = bool(self.options.stores and self.options.archive)
        toolchain.variables["LEAT_WITH_URING"] = bool(self.options.uring)
        toolchain.generate()
        CMakeDeps(self).generate()
        PkgConfigDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build(target="leat_installed")

    # The build makes both libraries, and its files for CMake and pkg-config are those that Conan writes itself.
    def package(self):
        CMake(self).install()
        libraries = f"{self.package_folder}/lib"
        rm(self, "libleat.a" if self.options.shared else "libleat.so*", libraries)
        for folder in "cmake", "pkgconfig":
            rmdir(self, f"{libraries}/{folder}")
        rmdir(self, f"{self.package_folder}/share")
        copy(self, "LICENSE", src=self.source_folder, dst=f"{self.package_folder}/licenses")

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "leat")
        self.cpp_info.set_property("cmake_target_name", "leat::leat")
        self.cpp_info.set_property("pkg_config_name", "leat")
        self.cpp_info.libs = ["leat"]
        self.cpp_info.system_libs = ["pthread", "dl"]
