"""gnuplot: plots, written to files by matplotlib."""
