"""Mutation testing: faults are put into the code, and the tests must notice. `make mutants`."""
