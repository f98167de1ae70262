"""Rules of the house that can be read from the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "schoolmeals"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def calls(source: str) -> Iterator[tuple[int, str]]:
    """Each call in ``source`` as its line and its dotted name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def found(pattern: str, *, but: tuple[str, ...] = ()) -> list[str]:
    """Where a call's name matches ``pattern``, outside the files ``but``."""
    return [
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path in SOURCES
        if str(path.relative_to(PACKAGE)) not in but
        for line, name in calls(path.read_text(encoding="utf-8"))
        if re.search(pattern, name)
    ]


def test_only_the_database_commits() -> None:
    assert found(r"(session|connection|work)\.(commit|rollback)$", but=("database.py",)) == []


def test_only_the_clock_asks_for_the_time() -> None:
    assert found(r"datetime\.(now|utcnow|today)$|date\.today$|^time\.time$", but=("clock.py",)) == []


def test_nobody_counts_in_binary_fractions() -> None:
    assert found(r"^(float|Decimal|Float|Numeric)$|\.Float$|\.Numeric$") == []


def bare_days(source: str) -> list[int]:
    """The lines where the day or the year of an instant is taken without saying where."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "date":
            of = node.func.value
            is_local = isinstance(of, ast.Call) and isinstance(of.func, ast.Attribute) and of.func.attr == "astimezone"
            if not node.args and not is_local:
                lines.append(node.lineno)
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in ("year", "month", "day")
            and re.search(r"\bnow(\(\))?$", ast.unparse(node.value))
        ):
            lines.append(node.lineno)
    return lines


def test_a_day_is_a_day_somewhere() -> None:
    """Five hours of each of Almaty's days lie on another day in UTC."""
    read_from_a_sheet = ("files/xlsx_child.py",)
    sources = {str(path.relative_to(PACKAGE)): path.read_text("utf-8") for path in SOURCES}
    found = {name: bare_days(source) for name, source in sources.items() if name not in read_from_a_sheet}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("bug", ["work.now.date()", "row.ended_at.date()", "now().year"])
def test_a_day_in_utc_would_be_found(bug: str) -> None:
    assert bare_days(bug) == [1]
    assert bare_days("work.today; at.astimezone(zone).date(); day.year") == []


@pytest.mark.parametrize("bug", ["float(price)", "session.commit()", "datetime.now()"])
def test_the_search_finds_a_planted_call(bug: str) -> None:
    patterns = r"^float$", r"session\.commit$", r"datetime\.now$"
    assert any(re.search(pattern, name) for pattern in patterns for _, name in calls(bug))


def test_files_stay_readable() -> None:
    lines = {str(path.relative_to(PACKAGE)): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_functions_stay_readable() -> None:
    long = [
        f"{path.relative_to(PACKAGE)}:{node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and _length(node) > 40
    ]
    assert long == []


def _length(node: ast.FunctionDef) -> int:
    """How many lines a function's body has, without its docstring."""
    text = (ast.get_docstring(node, clean=False) or "").splitlines()
    return (node.end_lineno or 0) - node.lineno - len(text)


def actions() -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """Every public action: a function of an actions module whose first argument is the work."""
    for path in SOURCES:
        if path.name == "actions.py" or path.parent.name == "actions":
            source = path.read_text("utf-8")
            for node in ast.parse(source).body:
                if isinstance(node, ast.FunctionDef) and _is_public_action(node):
                    yield f"{path.relative_to(PACKAGE)}:{node.name}", node, source


def _is_public_action(node: ast.FunctionDef) -> bool:
    arguments = [ast.unparse(argument) for argument in node.args.args]
    return not node.name.startswith("_") and arguments[:1] == ["work: Work"]


QUIET = {
    "audit/actions.py:record": "it is the recording itself",
    "audit/actions.py:record_many": "it is the recording itself",
    "audit/actions.py:recording": "it is the recording itself",
    "canteen/actions/menus.py:open_menu": "a step of deeds that record",
    "ledger/actions.py:lock": "it changes nothing",
    "ledger/actions.py:post": "whoever posts records why; the entry itself is append-only",
    "ledger/actions.py:posting": "the same, asked by the caller",
    "ledger/actions.py:reverse": "whoever reverses records why; the entry itself is append-only",
}


RECORDERS = {
    "record_act": "acting.py",
    "keep_version": "actions/publishing.py",
    "freeze": "freezing.py",
    "keep_row": "parts.py",
    "end_lot": "promoting.py",
    "end_standing": "promoting.py",
    "hold": "holding.py",
    "let_go": "holding.py",
    "keep_bodies": "parts.py",
    "keep_parts": "parts.py",
}
"""The ways of a tender's deeds, by the file of the procurement room that they are in: they write and record."""
RECORDING = {"audit.record", "audit.record_many", "audit.recording", *RECORDERS}


@pytest.mark.parametrize("name", RECORDERS)
def test_what_records_for_others_records_an_event(name: str) -> None:
    source = ast.parse((PACKAGE / "procurement" / RECORDERS[name]).read_text("utf-8"))
    functions = {node.name: node for node in source.body if isinstance(node, ast.FunctionDef)}
    assert _records(functions[name], functions, {name})


def test_every_action_records_an_event() -> None:
    silent = []
    for name, node, source in actions():
        functions = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
        if name not in QUIET and not _records(node, functions, set()):
            silent.append(name)
    assert silent == []


def _records(node: ast.FunctionDef, functions: dict[str, ast.FunctionDef], seen: set[str]) -> bool:
    """Whether a function records, by itself or by a function that it calls in its own file."""
    names = {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    if names & RECORDING:
        return True
    near = [name for name in names if name in functions and name not in seen]
    return any(_records(functions[name], functions, seen | {name}) for name in near)
