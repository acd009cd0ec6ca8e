"""`python -m benchmarks.disentanglement`."""

from benchmarks.disentanglement.run import main

if __name__ == "__main__":
    main()
