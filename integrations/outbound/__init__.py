"""From us: which facts are told to whom, in which words, signed how, and tried again when."""
