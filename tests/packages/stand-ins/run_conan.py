# SPDX-License-Identifier: MIT
"""Runs the methods of a recipe in the order of Conan: run_conan.py RECIPE TARBALL FOLDER. FOLDER/package is the package,
FOLDER/link what a program that uses it is linked with."""
import importlib.util
import os
import sys

recipe_folder, tarball, folder = sys.argv[1:]
spec = importlib.util.spec_from_file_location("recipe", os.path.join(recipe_folder, "conanfile.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
recipe = module.LeatConan()

# conandata.yml is a mapping of mappings of strings.
data, above = {}, []
with open(os.path.join(recipe_folder, "conandata.yml"), encoding="utf-8") as file:
    for line in file:
        if line.startswith("#"):
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, value = line.strip().partition(":")
        above[depth:] = [name.strip('"')]
        inner = data
        for part in above[:-1]:
            inner = inner[part]
        inner[above[-1]] = value.strip().strip('"') or {}

recipe.conan_data = data
recipe.tarball = tarball
recipe.source_folder, recipe.build_folder, recipe.package_folder = (os.path.join(folder, name) for name in ("source", "source/build", "package"))
for step in ("validate", "configure", "layout", "requirements", "source", "generate", "build", "package", "package_info"):
    getattr(recipe, step)()
assert "jansson" in " ".join(recipe.required)
with open(os.path.join(folder, "link"), "w", encoding="utf-8") as file:
    file.write(" ".join(f"-l{name}" for name in recipe.cpp_info.libs + recipe.cpp_info.system_libs))
