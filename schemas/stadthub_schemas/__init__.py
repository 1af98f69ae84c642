"""The words of the hub: what every room must mean alike. Data and pure functions; only feed and settings files are read."""
