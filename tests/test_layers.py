"""The house rules that a reviewer would otherwise have to remember."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["privacy", "members", "loyalty", "segments", "config"]  # low to high
BANNED_MODULES = {"utils", "helpers", "services", "selectors", "common", "core", "signals", "misc"}
LONGEST_FUNCTION = 70
LONGEST_FILE = 500
# Where the outside comes in. Everything else in an app is a model, a pure module or an operation.
DOORS = {"api", "admin", "pages", "console", "desk", "hooks", "commands", "jobs"}
# What every list of the console is made from; it belongs to the doors but is none itself.
OF_THE_DOORS = {"privacy/lists.py"}

MODULES = sorted(
    path for app in LAYERS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imports_in(path: Path) -> Iterator[str]:
    """The dotted names a module imports, wherever the statement stands."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).with_suffix("").parts[: -node.level] if node.level else ()
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def door_of(name: str) -> str | None:
    """The kind of door that a dotted module name is, if any."""
    return next((part for part in name.split(".")[1:] if part in DOORS), None)


def test_there_is_something_to_look_at():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(LAYERS)


@pytest.mark.parametrize("app", LAYERS)
def test_an_app_imports_only_itself_and_what_lies_below(app):
    above = set(LAYERS[LAYERS.index(app) + 1 :])
    offenders = [
        f"{name_of(path)} imports {name}"
        for path in MODULES
        if path.relative_to(ROOT).parts[0] == app
        for name in imports_in(path)
        if name.split(".")[0] in above
    ]
    assert offenders == []


def test_imports_stand_at_the_top():
    offenders = [
        f"{name_of(path)}:{inner.lineno}"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert offenders == []


def test_no_import_is_for_the_type_checker_alone():
    assert [name_of(path) for path in MODULES if "TYPE_CHECKING" in path.read_text()] == []


def test_modules_are_named_after_the_trade():
    offenders = [
        name_of(path) for path in MODULES if BANNED_MODULES & {path.stem, *path.relative_to(ROOT).parts[:-1]}
    ]
    assert offenders == []


def test_nothing_happens_behind_the_back():
    """No signal receivers, and no star that hides where a name comes from."""
    offenders = [
        name_of(path)
        for path in MODULES
        for name in imports_in(path)
        if name.endswith((".dispatch.receiver", ".*"))
    ]
    assert offenders == []


def test_functions_fit_a_screen():
    offenders = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert offenders == []


def test_files_can_be_read_in_one_go():
    sizes = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_operations_know_nothing_of_the_web():
    """Only doors, and config which wires them, see requests, REST framework or the admin."""
    web = ("rest_framework", "drf_spectacular", "unfold", "django.contrib.admin", "django.http")
    offenders = [
        f"{name_of(path)} imports {name}"
        for path in MODULES
        if path.relative_to(ROOT).parts[0] != "config" and name_of(path) not in OF_THE_DOORS
        if not door_of(name_of(path)[:-3].replace("/", "."))
        for name in imports_in(path)
        if name.startswith(web)
    ]
    assert offenders == []


def test_doors_do_not_lead_into_doors():
    offenders = [
        f"{name_of(path)} imports {name}"
        for path in MODULES
        if (own := door_of(name_of(path)[:-3].replace("/", ".")))
        for name in imports_in(path)
        if name.split(".")[0] in set(LAYERS) - {"config"} and door_of(name) not in {None, own}
    ]
    assert offenders == []


def test_every_module_says_what_it_is_for():
    """Save commands, whose help does, and what only names the parts of a package or app."""
    offenders = [
        name_of(path)
        for path in MODULES
        if path.read_text().strip()
        and path.name not in {"apps.py", "__init__.py"}
        and "commands" not in path.parts
        and not ast.get_docstring(tree_of(path))
    ]
    assert offenders == []
