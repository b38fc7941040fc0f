"""stn: spatial transformers (Jaderberg et al., 2015), with colours as the last dimension."""
