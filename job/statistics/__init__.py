"""What the data say: epochs to solve, ranking, verdict, champion."""
