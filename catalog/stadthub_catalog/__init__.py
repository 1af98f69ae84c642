"""What datasets are, who may see them, what happened: the state database and everything that asks it."""

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Distribution, Entry, FeedState, Found, Organization, Run, Token
from stadthub_catalog.site import Site

__all__ = ["Catalog", "Distribution", "Entry", "FeedState", "Found", "Organization", "Run", "Site", "Token"]
