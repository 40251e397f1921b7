"""The same files as people have them after their browsers, spreadsheets and scripts handled them."""

import gzip
import io
import zipfile
from dataclasses import replace
from datetime import datetime

from tests.data_builders.market import Line, Market
from tests.data_builders.shapes import COLUMNS, cboe_table

PLAIN_COLUMNS = "root,expiry,strike,type,bid,ask,iv,open_interest,volume"


def in_zip(payload: bytes, name: str = "quotedata.csv") -> bytes:
    """A zip of one file."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, payload)
    return whole.getvalue()


def by_spreadsheet(table: bytes, *, separator: str, decimal_comma: bool = False) -> bytes:
    """CBOE's table saved again: other separators, and decimal commas where the computer's country has them."""
    head, rows = table.decode().split(COLUMNS)
    point = "," if decimal_comma else "."
    cells = rows.replace(".", "\0").replace(",", separator).replace("\0", point)
    return (head + COLUMNS.replace(",", separator) + cells).encode()


def before_2021(market: Market, *, clock: str) -> bytes:
    """The layout that the site had until 2020."""
    table = cboe_table(market, name="", clock="", before="").decode()
    rows = table.split(COLUMNS)[1]
    columns = COLUMNS.replace("Volume", "Vol").replace("Open Interest", "Open Int")
    return f"{market.ticker} (NAME OF IT),{market.spot},+1.00,\n{clock}\n{columns}{rows}".encode()


def in_percent(market: Market) -> Market:
    """A vendor that writes 18.5 where others write 0.185."""
    lines = (replace(line, iv=None if line.iv is None else 100.0 * line.iv) for line in market.lines)
    return Market(market.ticker, market.spot, market.asof, tuple(lines))


def plain_csv(market: Market, *, columns: bool = True, quoted: datetime | None = None) -> bytes:
    """The plain CSV of `specs/chain-files.md`, with spot and time as columns or without them."""
    when = (quoted or market.asof).isoformat()
    more = f",{market.spot},{when}" if columns else ""
    rows = "".join(f"{_plain_row(line)}{more}\n" for line in market.standard)
    return f"{PLAIN_COLUMNS}{',spot,time' * columns}\n{rows}".encode()


def _plain_row(line: Line) -> str:
    iv = "" if line.iv is None else repr(line.iv)
    return (
        f"{line.root},{line.expiry},{line.strike},{line.side},{line.bid},{line.ask},{iv},"
        f"{line.open_interest},{line.volume}"
    )


DISGUISES = {
    "UTF-16": lambda table: table.decode().encode("utf-16"),
    "gzip": lambda table: gzip.compress(table, mtime=0),
    "zip": in_zip,
    "semicolons": lambda table: by_spreadsheet(table, separator=";"),
    "tabs": lambda table: by_spreadsheet(table, separator="\t"),
    "decimal commas": lambda table: by_spreadsheet(table, separator=";", decimal_comma=True),
    "lines of an old Mac": lambda table: table.replace(b"\n", b"\r"),
}
