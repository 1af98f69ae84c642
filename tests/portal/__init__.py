"""Tests of the portal: every page in a real browser, over a real socket."""
