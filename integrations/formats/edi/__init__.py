"""What X12 and EDIFACT have in common: segments of elements of components, and how numbers and dates are written.

The parsers on PyPI were looked at first (docs/adr/0017-edi-is-cut-by-ourselves.md): they drop what stands before an
interchange, raise whatever error comes, or know one interchange only. Cutting a segment takes a few lines; what matters
is refusing the rest.
"""
