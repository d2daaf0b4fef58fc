# SPDX-License-Identifier: MIT
"""build.py OUTPUT: makes the site of the documentation. scripts/docs is the way to start it.

The pages of docs/ are copied beside pages that are made here: one for each manual page (mandoc), one for each example,
the headers (doxygen). Links between the files of the repository become links between pages; a link to a file that is not
on the site becomes plain text.
"""
import html
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
SITE = SOURCE / "site"
LINK = re.compile(r"(!?)\[([^\[\]]*(?:\[[^\]]*\][^\[\]]*)?)\]\(([^()\s]+)\)")
# Pages that lie elsewhere, unless docs/ has a page of that name.
OTHERS = {name: name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md")}
OTHERS |= {"packaging/README.md": "packages.md", "python/README.md": "python.md"}
COMMANDS = ("dd", "pv", "mbuffer", "socat")  # of the pages about other programs and libraries those about commands


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True, **options)


def doxygen_name(header):
    """The page that doxygen makes of a header."""
    return f"headers/{header.stem}_8h.html"


def on_site(path):
    """Where a file of the repository is on the site, as a page of mkdocs or a file; None if it is not there."""
    inside = path.relative_to(SOURCE)
    parts = inside.parts
    if parts[:2] == ("docs", "man"):
        return f"man/{path.name}.md" if path.is_file() else "man/index.md"
    if parts[0] == "docs":
        return str(pathlib.Path(*parts[1:]))
    if parts[0] == "examples":
        return f"examples/{path.name}.md" if path.suffix in (".c", ".h") else "examples/index.md"
    if parts[:2] == ("include", "leat"):
        return doxygen_name(path) if path.is_file() and path.name != "leat.h" else "headers.md"
    if str(inside) == "README.md":
        return "index.md"
    return OTHERS.get(str(inside))


def linked(text, page, target):
    """The text of a page with its links as the site needs them. `page` is the file, `target` its place on the site."""
    up = "../" * target.count("/")

    def link(match):
        picture, words, to = match.groups()
        name, mark, anchor = to.partition("#")
        if "://" in to or not name:
            return match[0]
        path = (page.parent / name).resolve()
        place = on_site(path) if path.is_relative_to(SOURCE) else None
        if not path.exists() or place is None:
            return words
        if place == "index.md" and path.name == "README.md":
            anchor = mark = ""
        return f"{picture}[{words}]({up}{place}{mark}{anchor})"

    out, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        out.append(line if fenced else LINK.sub(link, line))
    return "\n".join(out) + "\n"


def adapted(text):
    """As mkdocs reads it: Markdown inside of HTML has to be asked for."""
    return text.replace("<details>", '<details markdown="1">')


def copy_pages(folder):
    for page in sorted((SOURCE / "docs").rglob("*")):
        target = str(page.relative_to(SOURCE / "docs"))
        if page.is_dir() or target.startswith("man/"):
            continue
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        if page.suffix == ".md":
            (folder / target).write_text(adapted(linked(page.read_text(), page, target)))
        else:
            shutil.copyfile(page, folder / target)
    for name, target in OTHERS.items():
        if not (folder / target).exists():
            (folder / target).write_text(adapted(linked((SOURCE / name).read_text(), SOURCE / name, target)))
    shutil.copyfile(SITE / "style.css", folder / "style.css")


def text_of(page):
    """The file with the text of a manual page: another one if the page only names it."""
    other = re.search(r"^\.so man\d/(.*)$", page.read_text(), re.M)
    return page.parent / other[1] if other else page


def manual_html(page):
    """A manual page as HTML, with links to the others and no heading of its own."""
    made = run("mandoc", "-T", "html", "-O", "fragment,man=%N.%S.html;none", text_of(page), capture_output=True).stdout
    known = {other.name for other in (SOURCE / "docs/man").iterdir()}
    made = re.sub(r'<a class="Xr" href="none">(.*?)</a>', r"\1", made)
    made = re.sub(r'<a class="Xr" href="([\w.-]+)\.html">(.*?)</a>', lambda m: m[0] if m[1] in known else m[2], made)
    ids = set(re.findall(r'id="([^"]+)"', made))  # a section may be that of another page
    made = re.sub(r'<a class="Sx" href="#([^"]+)">(.*?)</a>', lambda m: m[0] if m[1] in ids else m[2], made)
    return re.sub(r"\n\s*\n", "\n", made)


def description(page):
    """What a manual page says about its subject in one line."""
    found = re.search(r"^\.Nd (.*)$", text_of(page).read_text(), re.M)
    return found[1].replace("\\&", "") if found else ""


def write_manual(folder):
    (folder / "man").mkdir()
    pages = sorted((SOURCE / "docs/man").iterdir())
    index = "# Manual pages\n\n"
    for page in pages:
        name, section = page.name.rsplit(".", 1)
        title = f"{name}({section})"
        (folder / "man" / f"{page.name}.md").write_text(f'# {title}\n\n<div class="manual">\n{manual_html(page)}</div>\n')
        index += f"- [{title}]({page.name}.md): {description(page)}\n"
    (folder / "man/index.md").write_text(index)
    return [("man/index.md", "All pages")] + [(f"man/{page.name}.md", page.name) for page in pages]


def write_examples(folder):
    (folder / "examples").mkdir()
    programs = sorted((SOURCE / "examples").glob("*.[ch]"))
    index = "# Examples\n\nWhole programs with error handling. Each is compiled and run by a test.\n\n"
    for program in programs:
        text = program.read_text()
        comment = re.search(r"/\*(?! SPDX)(.*?)\*/", text, re.S)
        first = re.sub(r"\s+\*?\s*", " ", comment[1]).strip().split(". ")[0].rstrip(".") if comment else ""
        (folder / "examples" / f"{program.name}.md").write_text(f"# {program.name}\n\n```c\n{text}```\n")
        index += f"- [{program.name}]({program.name}.md): {html.escape(first, quote=False)}\n"
    (folder / "examples/index.md").write_text(index)
    return [("examples/index.md", "All examples")] + [(f"examples/{p.name}.md", p.name) for p in programs]


def write_headers(folder):
    """The page that leads to doxygen's pages."""
    text = "# Headers\n\nThe comments of the headers, as pages. `#include <leat/leat.h>` includes all of them.\n\n| header | about |\n|---|---|\n"
    for header in sorted((SOURCE / "include/leat").glob("*.h")):
        if header.name == "leat.h":
            continue
        comment = re.search(r"@file[^\n]*\n \*\s(.*?)(?:\.\s|\n \*\n)", header.read_text(), re.S)
        about = re.sub(r"\s*\n \*\s*", " ", comment[1]) if comment else ""
        text += f"| [{header.name}]({doxygen_name(header)}) | {about} |\n"
    (folder / "headers.md").write_text(text)


def migrations():
    """The pages about other programs and libraries, with what they are about: commands first."""
    pages = sorted((SOURCE / "docs/migrate").glob("*.md"), key=lambda p: (p.stem not in COMMANDS, p.stem.lower()))
    return [(f"migrate/{page.name}", title(page).removeprefix("From ")) for page in pages]


def title(page):
    """The first heading of a page."""
    return re.search(r"^# (.*)$", page.read_text(), re.M)[1].replace("`", "")


def nav(pages, indent):
    return "\n".join(f"{' ' * indent}- {name!r}: {page}" for page, name in pages)


def main():
    output = pathlib.Path(sys.argv[1]).resolve()
    staged = output.parent / (output.name + "-pages")
    for folder in (output, staged):
        shutil.rmtree(folder, ignore_errors=True)
    staged.mkdir(parents=True)
    copy_pages(staged)
    manual, examples = write_manual(staged), write_examples(staged)
    write_headers(staged)
    doxyfile = (SITE / "Doxyfile").read_text()
    for name, value in (("SITE", SITE), ("SOURCE", SOURCE), ("OUTPUT", staged)):
        doxyfile = doxyfile.replace(f"@{name}@", str(value))
    run("doxygen", "-", input=doxyfile)
    for page in (staged / "headers").glob("*.html"):  # doxygen knows nothing of the pages around its own
        page.write_text(page.read_text().replace('<div id="projectname">leat', '<div id="projectname"><a href="../headers.html">leat</a>'))
    config = (SITE / "mkdocs.yml").read_text()
    config = config.replace("MIGRATE", nav(migrations(), 6)).replace("MAN\n", nav(manual, 10) + "\n").replace("EXAMPLES", nav(examples, 10))
    config += f"docs_dir: {staged}\nsite_dir: {output}\n"
    (staged.parent / "mkdocs.yml").write_text(config)
    run("mkdocs", "build", "--quiet", "--config-file", staged.parent / "mkdocs.yml")
    shutil.rmtree(staged)


main()
