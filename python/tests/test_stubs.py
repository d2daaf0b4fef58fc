# SPDX-License-Identifier: MIT
"""The stubs name what is there, with the same parameters; README.md names each public object."""

import ast
import inspect
import pathlib
import unittest

import leat

HERE = pathlib.Path(leat.__file__).resolve().parent


def stub(name):
    return ast.parse((HERE / name).read_text("utf-8")).body


def parameters(function):
    arguments = function.args
    return [each.arg for each in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]


def public(names):
    return {name for name in names if not name.startswith("_")}


class Stubs(unittest.TestCase):
    def compare(self, module, body):
        here = {node.name: node for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        for name, node in here.items():
            if name.startswith("_"):
                continue
            real = getattr(module, name)
            if isinstance(node, ast.ClassDef):
                self.compare_class(name, real, node, here)
            else:
                self.compare_function(name, real, node)

    def compare_class(self, name, real, node, here):
        described = set()
        for base in [node] + [here[each.id] for each in node.bases if isinstance(each, ast.Name) and each.id in here]:
            for member in base.body:
                if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    described.add(member.name)
                    if not member.name.startswith("__"):
                        self.compare_function(f"{name}.{member.name}", inspect.getattr_static(real, member.name), member)
                elif isinstance(member, ast.AnnAssign):
                    described.add(member.target.id)
        described.discard("__buffer__")  # the interpreter has it since 3.12
        for each in described:
            if not issubclass(real, BaseException) and each not in ("bytes", "total", "seconds", "buffered", "names", "what",
                                                                    "options"):
                self.assertTrue(hasattr(real, each), f"{name}.{each}")
        if not issubclass(real, BaseException):
            self.assertEqual(public(dir(real)) - described, set(), name)

    def compare_function(self, name, real, node):
        real = getattr(real, "__func__", real)
        if inspect.isfunction(real):
            self.assertEqual(inspect.iscoroutinefunction(real), isinstance(node, ast.AsyncFunctionDef), name)
            found = [each for each in inspect.signature(real).parameters.values() if each.kind not in (2, 4)]
            if not any(each.kind == 4 for each in inspect.signature(real).parameters.values()):
                self.assertEqual(parameters(node), [each.name for each in found], name)
        elif getattr(real, "__doc__", None) and real.__doc__.startswith(node.name + "("):
            written = real.__doc__[len(node.name) + 1:real.__doc__.index(")")]
            names = ["self"] + [each.split("=")[0] for each in written.split(", ") if each]
            self.assertEqual(parameters(node)[:len(names)], names, name)

    def test_the_package(self):
        body = stub("__init__.pyi")
        self.compare(leat, body)
        named = {node.name for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        named |= {node.target.id for node in body if isinstance(node, ast.AnnAssign)} | {"filters", "Digest", "compat"}
        self.assertEqual(public(vars(leat)) - named, set())

    def test_filters(self):
        body = stub("filters.pyi")
        self.compare(leat.filters, body)
        self.assertEqual(public(vars(leat.filters)) - {node.name for node in body if hasattr(node, "name")}, {"plain"})

    def test_readme_names_all(self):
        text = (HERE.parent / "README.md").read_text("utf-8")
        for name in public(vars(leat)) - {"version"}:
            self.assertTrue(name in text, name)


if __name__ == "__main__":
    unittest.main()
