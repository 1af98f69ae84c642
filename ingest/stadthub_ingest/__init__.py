"""Bytes to rows: sources fetch, decoders read, the judge decides. No disk of ours, no clock of ours, no database."""
