"""The command line: the same engine calls as the window makes."""
