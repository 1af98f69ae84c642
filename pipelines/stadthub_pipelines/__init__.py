"""The flow: from a feed file over source, raw log, judge and lake to the catalogue, and what keeps it running."""
