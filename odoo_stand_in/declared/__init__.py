"""What models and fields there are, as real servers of 17 and 19 tell of theirs."""
