"""Scored identity matching: who may be one person though no key says so (A5).

From the inside out, each module knowing only those before it:

    readings      how a Chinese name sounds                              pure
    features      one description of a member → what is compared         pure
    comparing     comparisons, their levels, and the Splink settings     pure
    parameters    m, u and prior as data with a version                  a file
    engine        DuckDB and Splink over features; scores pairs          in memory only
    decisions     scored pairs → links and questions                     pure
    descriptions  members as rows, opened in memory                      reads
    footprints    blind keys by which the minute finds whom to compare   reads and writes
    runs          the minute's work and the night's                      the operations

`people`, `estimation`, `english` and `evaluation` measure all of it on labelled sets.
"""
