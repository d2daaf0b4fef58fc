# SPDX-License-Identifier: MIT
class PkgConfigDeps:
    """Those of the system are found anyway."""

    def __init__(self, recipe):
        pass

    def generate(self):
        pass
