# SPDX-License-Identifier: MIT
"""The interfaces of other libraries, made of leat. A program that uses one of them changes the name that it imports."""
