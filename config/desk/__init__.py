"""The dispatcher's desk: search, board, orders, placing, and the answer to "when?"."""
