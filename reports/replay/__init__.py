"""The replay: real monthly demand lived through in simulated time, by the same actions that every door calls.

`demand` reads the file, `layout` says what world a seed makes, `plan` turns months into orders with days and hours,
`world` writes catalogue and opening stock, `live` goes through the days (`ordering`, `supply`, `floor`, `jobs` are what
happens in a day), `summary` counts what came of it. docs/replay.md states every rule.
"""
