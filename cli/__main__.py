"""`python -m cli` is `karya`, also without installation."""

from cli import main

main()
