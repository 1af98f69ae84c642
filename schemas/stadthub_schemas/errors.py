"""What can go wrong, and who mends it.

StadthubError
├── FeedError        the feed file is wrong                 the operator mends it
├── SettingsError    an environment variable is wrong       the operator mends it
├── PublishError     the catalogue refused the entry        the operator mends it
├── AccessError      the caller may not do this             someone with the right grants it
├── SourceError      the far side did not answer            time mends it: retried
├── QueryError       the question makes no sense            the caller mends it
├── NotFound         nothing bears that name                the caller mends it
├── Conflict         it is there already, or has changed    the caller mends it
├── TypeConflict     a payload has another shape than the dataset   quarantined, the operator mends it
└── StorageError     the machine: disk full, unreadable     stop acknowledging, keep reading

Each message is one sentence that names the thing and the reason; it never holds SQL, a path of this machine or a secret.
"""


class StadthubError(Exception):
    """The root of all errors that the hub raises on purpose."""


class FeedError(StadthubError):
    """A feed file is wrong. The operator mends it."""


class SettingsError(StadthubError):
    """A setting is wrong. The operator mends it."""


class PublishError(StadthubError):
    """The catalogue refused an entry. The operator mends it."""


class AccessError(StadthubError):
    """The caller may not do this."""


class SourceError(StadthubError):
    """The far side did not answer, or not with what was agreed. Time mends it."""


class QueryError(StadthubError):
    """The question makes no sense. The caller mends it."""


class NotFound(StadthubError):
    """Nothing bears that name, or the caller may not know that something does."""


class Conflict(StadthubError):
    """It is there already, or it has changed meanwhile."""


class TypeConflict(StadthubError):
    """A payload brings another type than the dataset has. It goes to quarantine; the last good data stay served."""


class StorageError(StadthubError):
    """The machine can't store: nothing more is acknowledged until it can."""
