"""The pages on which partners set up by themselves where they are told what happens to their orders."""
