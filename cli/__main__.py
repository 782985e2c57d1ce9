"""`python -m cli` is `karya`, also where nothing is installed."""

from cli import main

main()
