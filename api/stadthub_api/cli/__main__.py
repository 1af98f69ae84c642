"""`python -m stadthub_api.cli`, the same as `stadthub`."""

from stadthub_api.cli.app import main

main()
