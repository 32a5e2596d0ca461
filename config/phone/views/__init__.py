"""The pages of the phone: the day, a job, parts on their way, the van, and the shell around them."""
