"""What all faces share: meanings, icons, the reader's time zone and look. The pages themselves are beside this."""
