# SPDX-License-Identifier: MIT
import subprocess

from conan.tools.gnu import PkgConfigDeps as CMakeDeps


def cmake_layout(recipe, src_folder="."):
    pass


class CMakeToolchain:
    def __init__(self, recipe):
        self.variables = {}
        recipe.toolchain = self

    def generate(self):
        pass


class CMake:
    def __init__(self, recipe):
        self.recipe = recipe

    def configure(self):
        variables = self.recipe.toolchain.variables.items()
        subprocess.run(["cmake", "-S", self.recipe.source_folder, "-B", self.recipe.build_folder, "-DCMAKE_BUILD_TYPE=None",
                        "-DCMAKE_INSTALL_LIBDIR=lib", *[f"-D{name}={value}" for name, value in variables]], check=True)

    def build(self, target):
        subprocess.run(["cmake", "--build", self.recipe.build_folder, "--target", target], check=True)

    def install(self):
        subprocess.run(["cmake", "--install", self.recipe.build_folder, "--prefix", self.recipe.package_folder], check=True)
