"""What catches the eye in a trial: late times, missing units, many rejects, values that never change."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_ingest.detection.proposal import Said
from stadthub_ingest.judged import Judged
from stadthub_schemas.dataset import Kind
from stadthub_schemas.feed import Feed
from stadthub_schemas.properties import OBSERVED_PROPERTIES

#: More rejects than this share are worth a word, and newest values that are older than this.
MANY, LATE = 0.05, timedelta(days=1)


def hints_of(feed: Feed, judged: Judged) -> tuple[Said, ...]:
    """What should be looked at before these data are published."""
    found: list[Said] = []
    rejected, received = judged.rejects.num_rows, judged.received
    if received and rejected > MANY * received:
        found.append(
            Said(
                f"{rejected} von {received} Zeilen werden abgelehnt: sehen Sie die Gründe an.",
                f"{rejected} of {received} rows are rejected: look at the reasons.",
            )
        )
    if received and not judged.accepted.num_rows:
        found.append(Said("Keine einzige Zeile wird angenommen.", "Not a single row is accepted."))
    if feed.kind is Kind.TIMESERIES and judged.accepted.num_rows:
        found += _of_observations(judged.accepted, datetime.now(UTC))
    return tuple(found)


def _of_observations(accepted: pa.Table, now: datetime) -> list[Said]:
    found: list[Said] = []
    newest: datetime = pc.max(accepted.column("phenomenon_time")).as_py()
    lag = now - newest
    if lag > LATE:
        found.append(
            Said(
                f"Der neueste Wert ist {lag.days} Tage alt ({newest:%Y-%m-%d %H:%M} UTC).",
                f"The newest value is {lag.days} days old ({newest:%Y-%m-%d %H:%M} UTC).",
            )
        )
    # A wide table's rows share few units: they come as a dictionary, of which Arrow knows no least one.
    plain = accepted.set_column(accepted.column_names.index("unit"), "unit", accepted.column("unit").cast(pa.string()))
    for row in plain.group_by("observed_property").aggregate([("unit", "min"), ("result", "min"), ("result", "max")]).to_pylist():
        name = row["observed_property"]
        if row["unit_min"] is None and name not in OBSERVED_PROPERTIES:
            found.append(Said(f"{name}: ohne Einheit. Nennen Sie eine (UCUM).", f"{name}: without a unit. Name one (UCUM)."))
        if accepted.num_rows > 10 and row["result_min"] is not None and row["result_min"] == row["result_max"]:
            found.append(Said(f"{name}: alle Werte sind {row['result_min']:g}.", f"{name}: all values are {row['result_min']:g}."))
    if accepted.column("longitude").null_count == accepted.num_rows:
        found.append(Said("Keine Messstelle hat einen Ort: es gibt keine Karte.", "No thing has a place: there is no map."))
    return found
