"""What holds for every resource of the API: who asks, how pages are cut, what errors and repeats look like."""
