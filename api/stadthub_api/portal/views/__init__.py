"""The portal's pages, one file for each part of it."""
