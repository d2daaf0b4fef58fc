# SPDX-License-Identifier: MIT
"""As much of Conan 2 as the recipe of leat needs: tests/packages/conan runs it with these."""


class Info:
    def __init__(self):
        self.properties = {}

    def set_property(self, name, value):
        self.properties[name] = value


class Settings:
    os = "Linux"

    def rm_safe(self, name):
        pass


class Options:
    def __init__(self, allowed, defaults):
        for name, value in defaults.items():
            assert value in allowed[name], f"{name} may not be {value}"
            setattr(self, name, value)


class ConanFile:
    def __init__(self):
        self.settings = Settings()
        self.options = Options(getattr(self, "options", {}), getattr(self, "default_options", {}))
        self.cpp_info = Info()
        self.required = []

    def requires(self, reference, **traits):
        self.required.append(reference)
