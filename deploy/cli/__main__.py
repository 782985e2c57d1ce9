"""`python -m deploy.cli` is `karya`, also where nothing is installed."""

from deploy.cli import main

main()
