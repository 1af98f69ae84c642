"""CKAN's actions that run a CKAN itself: this hub has other ways for them, and says so to everybody alike (403)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from stadthub_catalog.asked import Asked
from stadthub_catalog.refusals import NotAuthorized

#: By what is used here instead: the actions.
_INSTEAD = {
    "the settings of the hub are its operator's": ("config_option_list", "config_option_show", "config_option_update"),
    "runs and alarms stand in the operator's pages": (
        "job_list",
        "job_show",
        "job_cancel",
        "job_clear",
        "task_status_show",
        "task_status_update",
        "task_status_update_many",
        "task_status_delete",
        "datapusher_submit",
        "datapusher_hook",
        "datapusher_status",
        "send_email_notifications",
    ),
    "words are kept in two languages with what they describe": ("term_translation_update", "term_translation_update_many"),
    "no account runs the hub by itself": ("get_site_user",),
    "no functions run in the hub's tables": (
        "datastore_function_create",
        "datastore_function_delete",
        "datastore_run_triggers",
    ),
    "files belong to resources: use resource_create with upload": (
        "file_create",
        "file_register",
        "file_delete",
        "file_show",
        "file_rename",
        "file_pin",
        "file_unpin",
        "file_ownership_transfer",
        "file_owner_scan",
    ),
}

#: Those that CKAN lets be asked by GET.
_READS = ("config_option_list", "config_option_show", "job_list", "job_show", "task_status_show", "datapusher_status", "get_site_user")


def _refuse(asked: Asked) -> Any:
    del asked
    raise NotAuthorized("Access denied")


def _made(reason: str) -> Callable[[Asked], Any]:
    action = partial(_refuse)
    action.__doc__ = f"Not offered: {reason}."
    return action


_ALL = {name: _made(reason) for reason, names in _INSTEAD.items() for name in names}
REFUSED_READS = {name: action for name, action in _ALL.items() if name in _READS}
REFUSED_WRITES = {name: action for name, action in _ALL.items() if name not in _READS}
