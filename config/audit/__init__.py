"""The auditor's pages: everything that happened, who could do what when, and exports that are proved offline."""
