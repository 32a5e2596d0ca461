"""Reading what happened: searching the ledger, proving one chain of it, and who could do what when."""
