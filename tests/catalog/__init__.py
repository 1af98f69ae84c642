"""Tests of the catalogue, through its front door."""
