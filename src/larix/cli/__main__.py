"""`python -m larix.cli`: the command `larix`, also where its script is not on the path."""

from larix.cli import main

if __name__ == "__main__":
    main(prog_name="larix")
