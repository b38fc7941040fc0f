"""What the registers of layers and of operations say, as the translation asks for it. Nothing is known here alone."""
