"""The hub as its settings describe it to readers and to other catalogues."""

from stadthub_catalog.site import Site
from stadthub_schemas.settings import Settings
from stadthub_schemas.version import VERSION


def site_of(settings: Settings) -> Site:
    """What every self-description says of this hub."""
    return Site(
        title=settings.site_title,
        url=settings.url,
        contact=settings.site_contact,
        version=VERSION,
        operator=settings.site_operator,
        publisher_type=settings.publisher_type,
        geocoding=settings.geocoding,
        contributor=settings.contributor,
    )
