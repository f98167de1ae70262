"""The exported books, added up by beancount itself."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from beancount import loader
from beancount.core import realization

from schoolmeals import ledger
from schoolmeals.ledger.beancount import decimal, export
from tests.ledger.books import Books, open_books, sale, top_up

ALMATY = ZoneInfo("Asia/Almaty")


def exported(do: Any, folder: Path) -> Path:
    file = folder / "books.beancount"
    file.write_text("\n".join(do(lambda work: list(export(work, ALMATY)))) + "\n", encoding="utf-8")
    return file


def posted(do: Any) -> Books:
    books: Books = do(open_books, 3)
    do(
        ledger.post,
        books.school_id,
        [top_up(books, 0, 900_50), top_up(books, 1, 500_00), sale(books, 0, 850_00), sale(books, 1, 1)],
    )
    undone = uuid4()
    do(ledger.post, books.school_id, [sale(books, 1, 100_00, undone)])
    do(ledger.reverse, books.school_id, undone, reversal_id=uuid4())
    return books


def test_beancount_accepts_the_books_and_comes_to_our_balances(do: Any, tmp_path: Path) -> None:
    books = posted(do)
    entries, errors, _ = loader.load_file(str(exported(do, tmp_path)))
    assert errors == []
    totals = {
        real.account.rsplit(":A", 1)[1]: int(real.balance.get_currency_units("KZT").number * 100)
        for real in realization.iter_children(realization.realize(entries))  # type: ignore[no-untyped-call]
        if ":A" in real.account
    }
    ours = {
        row.id.hex.upper(): row.debits_minor - row.credits_minor
        for row in do(ledger.lock, books.school_id, [books.cash, books.sales, *books.purses]).values()
    }
    assert totals == ours


def test_beancount_sees_a_forged_balance(do: Any, tmp_path: Path) -> None:
    posted(do)
    file = exported(do, tmp_path)
    forged = re.sub(r"(balance Assets:CashDesk:\S+  )(\d+)", r"\g<1>9\2", file.read_text(encoding="utf-8"))
    file.write_text(forged, encoding="utf-8")
    _, errors, _ = loader.load_file(str(file))
    assert len(errors) == 1


def test_a_sum_is_written_exactly() -> None:
    assert [decimal(minor, "KZT") for minor in (0, 5, 100, -123_45)] == ["0.00", "0.05", "1.00", "-123.45"]
    assert decimal(-7, "JPY") == "-7"
