"""`python -m bol_service` is the same as `bol`."""

from bol_service.cli.main import main

main()
