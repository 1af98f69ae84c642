"""How CKAN's actions refuse: six forms, each with its HTTP status and its `__type`."""

from collections.abc import Mapping
from typing import Any

from stadthub_schemas.errors import StadthubError


class Refusal(StadthubError):
    """An action's refusal in CKAN's own form."""

    status = 500
    type = "Internal Server Error"

    def form(self) -> dict[str, Any]:
        """The `error` of the envelope."""
        return {"__type": self.type, "message": str(self)}


class NotAuthorized(Refusal):
    """The caller may not do this."""

    status = 403
    type = "Authorization Error"


class Missing(Refusal):
    """Nothing bears that name."""

    status = 404
    type = "Not Found Error"

    def __init__(self, message: str = "Not found") -> None:
        super().__init__(message)


class SearchQueryError(Refusal):
    """A search with parameters that there are not."""

    status = 400
    type = "Search Query Error"


class SearchError(Refusal):
    """A search that can't be understood."""

    status = 409
    type = "Search Error"

    def __init__(self, reason: str) -> None:
        super().__init__(f'Search error: "{reason}"')


class Invalid(Refusal):
    """Parameters with wrong values; `fields` says which and why."""

    status = 409
    type = "Validation Error"

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(str(dict(fields)))
        self.fields = fields

    def form(self) -> dict[str, Any]:
        """The mistakes by field."""
        return {**self.fields, "__type": self.type}


class Outdated(Refusal):
    """The dataset was changed by somebody else after it was read for this change."""

    status = 409
    type = "Conflict"


class WrongMethod(StadthubError):
    """An action that changes something was called by GET; CKAN answers this outside its envelope."""


class UnknownAction(StadthubError):
    """There is no such action; CKAN answers this outside its envelope."""
