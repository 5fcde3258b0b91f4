"""Measures tidelake: `make bench`, or `python -m bench [--quick] [--only NAME]`.

    corpus                              the events that everything is measured on
    processes, measure                  CPU-seconds and memory of processes; rounds and medians
    stages, whole_path, http, commits   the rows of the table
    soak                                half an hour of `tidelake up`
    results, report                     `bench/results/*.json`, `docs/benchmarks.md`

Rates are reckoned from CPU-seconds, user and system, of every process that took part: other work
on the machine changes them little. Wall times are given beside them and should not be trusted.
"""
