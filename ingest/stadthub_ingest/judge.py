"""The judge: payloads in, accepted rows and rejects out. received = accepted + rejected + dropped, whatever comes."""

import traceback
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa
import structlog

from stadthub_ingest import features, observations, preview, registry, tables
from stadthub_ingest.columns import judge_block
from stadthub_ingest.decoded import Block, Decoded, DecodeError
from stadthub_ingest.judged import UNKEPT, Judged, Payload, Sheet, lines
from stadthub_ingest.observations import ObservationJudge
from stadthub_ingest.preview import Preview
from stadthub_ingest.renames import renamed_json, renamed_row
from stadthub_ingest.rules import RowError, RuleBook
from stadthub_ingest.shape import Seen, Shape, of_payload, of_sheet
from stadthub_ingest.sheets import Tabled
from stadthub_ingest.sources.fetched import whole_of
from stadthub_ingest.tables import Seen as Keys
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.feed import Feed
from stadthub_schemas.rows import OBSERVATIONS_CODED

LOG = structlog.get_logger()

#: A payload of at least so many bytes is judged column by column, where its decoder can: below, the rows are quicker.
BULK = 20_000


class Judge:
    """Judges the payloads of one feed. `bulk` is the size in bytes from which on a payload goes column by column."""

    def __init__(self, feed: Feed, bulk: int = BULK) -> None:
        self._feed = feed
        self._decoder = registry.find(feed.decoder)
        self._options = registry.read_options(feed)
        self._book = RuleBook(feed.rules)
        self._bulk = bulk
        self._known: frozenset[str] | None = None
        self._declared = registry.declared(feed)

    def know(self, columns: frozenset[str] | None, attributes: frozenset[str] | None) -> None:
        """From here on take no other columns and attributes than these; None: take all."""
        self._known = attributes
        if "known" in type(self._options).model_fields:
            self._options = self._options.model_copy(update={"known": columns})

    def shape(self, payload: Payload) -> Shape:
        """What the payload looks like before it is mapped, with the feed's renames. Whatever comes, this never raises for it."""
        try:
            found = self._shape(payload)
        except (StadthubError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - as in judge: looking at what strangers send must not stop their feed
            return Shape("unreadable")
        if found.form in ("archive", "binary") and self._feed.kind is not Kind.TIMESERIES:
            return Shape(found.form, columns={name: Seen(of=1, filled=1) for name in sorted(self.judge([payload]).attributes)})
        return found

    def _shape(self, payload: Payload) -> Shape:
        if self._decoder.sheet is not None and payload.body.lstrip()[:1] not in (b"<", b"{"):
            try:
                found = self._decoder.sheet(payload.body, self._options)
                form = "workbook" if payload.body[:2] == b"PK" else "table"
                return of_sheet(found, payload.body, form, frozenset(getattr(self._options, "missing", ("",))))
            except DecodeError:
                pass
        return of_payload(self._mended(payload.body))

    def preview(self, payload: Payload) -> Preview:
        """The payload's first rows under its columns, before they are mapped."""
        if self._decoder.sheet is not None:
            try:
                return preview.of_sheet(self._decoder.sheet(payload.body, self._options))
            except DecodeError:
                pass
        return preview.of_payload(self._mended(payload.body))

    def is_channel(self, column: str) -> bool:
        """Whether the column is one of those that the feed expects to come and go."""
        return isinstance(self._options, Tabled) and self._options.is_channel(column)

    def _mended(self, body: bytes) -> bytes:
        """The payload with the names that the feed knows; tables are renamed in their header."""
        renames = self._feed.renames
        return renamed_json(body, renames) if renames and self._decoder.sheet is None else body

    def judge(self, payloads: Sequence[Payload]) -> Judged:
        """What becomes of the payloads. Bad data never raise: they are rejects, each with its reason."""
        return self.guarded(payloads, None)

    def guarded(self, payloads: Sequence[Payload], keys: Keys | None) -> Judged:
        """The same; with keys that were seen already in the pages before."""
        try:
            return self._judged(payloads, Sheet(keys=keys))
        except (StadthubError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - decoders read what strangers send: a mistake of theirs must not stop their feed for ever
            return self._without_faults(payloads)

    def _without_faults(self, payloads: Sequence[Payload]) -> Judged:
        """The same without the payloads on which decoder or judge fail: each of those is one reject."""
        sheet, sound = Sheet(), []
        for payload in payloads:
            try:
                self._judged((payload,), Sheet())
            except (StadthubError, MemoryError):
                raise
            except Exception as fault:  # noqa: BLE001 - as above
                # the bare traceback: renderers that show local variables would write the payload into the log
                LOG.error("fault on a payload", feed=self._feed.id, position=payload.position, traceback=traceback.format_exc())
                sheet.received += 1
                sheet.refuse(payload, 0, f"payload: {self._feed.decoder} failed on it ({type(fault).__name__})", payload.body)
            else:
                sound.append(payload)
        return self._judged(sound, sheet)

    def _judged(self, payloads: Sequence[Payload], sheet: Sheet) -> Judged:
        sound = [payload for payload in payloads if payload.body not in UNKEPT]
        for payload in payloads:
            if payload.body in UNKEPT:
                self._refused(payload, sheet)
        if self._feed.kind is not Kind.TIMESERIES:
            for _, whole in groupby(sound, lambda payload: whole_of(payload.name) or payload.position):
                self._whole(list(whole), sheet)
        elif sound:
            judge = ObservationJudge(self._book, sound[0].received_time)
            for payload in sound:
                if not self._by_columns(payload, sheet):
                    self._by_rows(payload, sheet, judge)
        judged = (self._accepted(sheet), lines(sheet.rejects), sheet.received, sheet.dropped, lines(sheet.notes))
        return Judged(*judged, frozenset(sheet.attributes))

    def _accepted(self, sheet: Sheet) -> pa.Table:
        if self._feed.kind is Kind.FEATURES:
            return features.as_table(sheet.rows)
        if self._feed.kind is Kind.TABLE:
            return tables.as_table(sheet.rows, self._declared)
        if not sheet.tables:
            return observations.as_table(sheet.rows)
        by_rows = [observations.as_table(sheet.rows).cast(OBSERVATIONS_CODED)] if sheet.rows else []
        return pa.concat_tables([*sheet.tables, *by_rows]).unify_dictionaries()

    def _decoded(self, payload: Payload, sheet: Sheet) -> Iterator[Decoded]:
        """The payload's rows. What breaks off becomes a reject after the rows before it."""
        try:
            yield from self._decoder.decode(self._mended(payload.body), self._options, payload.name)
        except DecodeError as error:
            sheet.received += 1
            sheet.refuse(payload, 0, f"payload: {error}", b"" if self._decoder.private else payload.body)
        except RecursionError:
            sheet.received += 1
            sheet.refuse(payload, 0, "payload: it is nested too deep", b"" if self._decoder.private else payload.body)

    def _refused(self, payload: Payload, sheet: Sheet) -> None:
        """A payload of which nothing was kept: counted, and told without a word of it."""
        sheet.received += 1
        sheet.refuse(payload, 0, f"payload: {UNKEPT[payload.body].format(decoder=self._feed.decoder)}, nothing of it was kept", b"")

    def _by_rows(self, payload: Payload, sheet: Sheet, judge: ObservationJudge) -> None:
        judge.receive(payload.received_time)
        number = 0
        for number, row in enumerate(self._decoded(payload, sheet), 1):
            if row is None:
                sheet.dropped += 1
                continue
            try:
                sheet.rows.append(judge.judge(row))
            except RowError as refused:
                sheet.refuse(payload, number, str(refused), row)
            except RecursionError:
                sheet.refuse(payload, number, "it is nested too deep", row)
        sheet.received += number

    def _by_columns(self, payload: Payload, sheet: Sheet) -> bool:
        """Judge a large payload by columns; False where its decoder can't or it must be looked at row by row."""
        if self._decoder.decode_table is None or len(payload.body) < self._bulk:
            return False
        try:
            blocks = self._decoder.decode_table(self._mended(payload.body), self._options, payload.name)
        except DecodeError:
            return False
        for block in blocks or ():
            self._block(block, payload, sheet)
        return blocks is not None

    def _block(self, block: Block, payload: Payload, sheet: Sheet) -> None:
        accepted, rest = judge_block(block, self._book, payload.received_time)
        judge = ObservationJudge(self._book, payload.received_time)
        dropped = len(block.times) - len(accepted) - len(rest)
        for index in rest.to_pylist():
            row = block.spell(index)
            if row is None:
                dropped += 1
                continue
            try:
                sheet.rows.append(judge.judge(row))
            except RowError as refused:
                sheet.refuse(payload, block.ordinal(index), str(refused), row)
        sheet.tables.append(accepted)
        sheet.received += len(block.times)
        sheet.dropped += dropped

    def _whole(self, payloads: Sequence[Payload], sheet: Sheet) -> None:
        """Judge features or rows of a table, which must know of each other: within a payload, and within all pages of one."""
        numbered = [(payload, number, row) for payload in payloads for number, row in enumerate(self._decoded(payload, sheet), 1)]
        rows = [(payload, number, self._attributes(row, sheet)) for payload, number, row in numbered if row is not None]
        sheet.received += len(numbered)
        sheet.dropped += len(numbered) - len(rows)
        found: Sequence[Any]
        if self._feed.kind is Kind.FEATURES:
            found = features.judge_features([row for *_, row in rows], self._declared)
        else:
            found = tables.judge_rows(
                [row for *_, row in rows], self._declared, self._feed.key, set() if sheet.keys is None else sheet.keys
            )
        for (payload, number, row), one in zip(rows, found, strict=True):
            if isinstance(one, RowError):
                sheet.refuse(payload, number, str(one), row)
                continue
            sheet.rows.append(one)
            if isinstance(one, features.Feature) and one.mended is not None:
                sheet.note(payload, number, f"geometry: mended and kept: {one.mended}", row)

    def _attributes(self, row: Any, sheet: Sheet) -> Any:
        """The row under the names that the feed knows, and only with what may be taken."""
        inner = row.get("properties") if self._feed.kind is Kind.FEATURES and isinstance(row, dict) else row
        if not isinstance(inner, dict):
            return row
        if self._feed.renames:
            inner = renamed_row(inner, self._feed.renames)
        if self._known is not None:
            inner = {name: value for name, value in inner.items() if name in self._known}
        sheet.attributes.update(inner)
        return {**row, "properties": inner} if self._feed.kind is Kind.FEATURES else inner
