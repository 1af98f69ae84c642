"""What is expected of a feed: how often it brings something, how many things report, how much may be late or wrong."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from stadthub_schemas.model import Strict


class Expect(Strict):
    """Beyond what an operator expects of any feed. Without a key the hub goes by the source's schedule and by what it has seen."""

    every: Annotated[timedelta, Field(gt=timedelta(0))] | None = Field(
        default=None, description="how often something new comes; absent: as the source is asked, or as it was seen in the last weeks"
    )
    things: int | None = Field(default=None, ge=1, description="how many things report at least; absent: half of those of the last week")
    max_lag: Annotated[timedelta, Field(gt=timedelta(0))] | None = Field(
        default=None, description="how old the newest observation may be; absent: not watched"
    )
    max_reject_ratio: float = Field(default=0.05, ge=0, le=1, description="the share of rows that may be rejected within the last hours")
    volume: float = Field(default=0.2, ge=0, lt=1, description="the least share of the usual rows of this hour of the week; 0: not watched")
