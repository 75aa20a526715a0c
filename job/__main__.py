"""`python -m job` is the console script `xor-sweep`."""

from job.cli import main

if __name__ == "__main__":
    main()
